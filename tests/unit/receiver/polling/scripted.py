"""A provider of the tests' own: its knowledge, and the script of what it answers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from config.account import AccountSettings
from handlers.clock import utc_now
from handlers.exchange import (
    AccountFailed,
    CallFailed,
    Conversation,
    Refused,
    RefusedForGood,
    Request,
    Response,
    WatchFailed,
)
from handlers.fact import Claim, Interpretation
from handlers.jsontext import Json, compact
from handlers.observation import Observation
from handlers.provider import (
    BaseHandler,
    Discovery,
    Handler,
    LookedUp,
    Polled,
    Resource,
    Session,
    Watch,
)
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.polling.budget import Budget
from receiver.polling.caller import Caller

_OK, _UNAUTHORIZED, _FORBIDDEN, _UNAVAILABLE = 200, 401, 403, 503


@dataclass
class ScriptedProvider:
    """What the provider answers, by path.

    ``calls`` has the time, account and path of each call; ``ages`` how long was watched what was
    asked for.
    """

    answers: dict[str, Response | None] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    ages: list[timedelta] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def show(
        self,
        path: str,
        *resources: Json,
        status: int = _OK,
        ending: str | None = None,
        pace: float | None = None,
        found: Mapping[str, float] | None = None,
        word: str = "shown",
        seconds: float = 0.0,
    ) -> None:
        """Answer ``path`` with these resources from now on, each time after ``seconds``.

        ``found`` are the things that a root finds, with their paces; ``word`` is the status.
        """
        shown: dict[str, Json] = {
            "resources": list(resources),
            "ending": ending,
            "pace": None if pace is None else str(pace),
            "found": {id: str(pace) for id, pace in (found or {}).items()},  # noqa: A001
            "word": word,
        }
        self.answers[path] = Response.json(status, shown)
        self.delays[path] = seconds

    def hang_up(self, path: str) -> None:
        """Do not answer ``path`` any more."""
        self.answers[path] = None

    def times(self, path: str) -> list[float]:
        """Return when ``path`` was asked for."""
        return [at for at, _, asked in self.calls if asked == path]

    async def answer(self, account: str, request: Request) -> Response:
        """Answer one request."""
        now = asyncio.get_running_loop().time()
        self.calls.append((now, account, request.path))
        if "age" in request.headers:
            self.ages.append(timedelta(seconds=float(request.headers["age"])))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.delays.get(request.path, 0.0))
        finally:
            self.under_way -= 1
        response = self.answers.get(request.path, Response.json(_OK, {}))
        if response is None:
            raise CallFailed("no answer")
        return response


class ScriptedCaller(Caller):
    """Asks the scripted provider instead of the network, within the account's budget."""

    def __init__(self, provider: ScriptedProvider, alarms: Alarms) -> None:
        super().__init__(Metrics(alarms), utc_now, max_response=1, concurrency=1)
        self._provider = provider

    def ask(self, provider: ScriptedProvider) -> None:
        """Ask another one from now on."""
        self._provider = provider

    async def _call(self, account: AccountSettings, request: Request, budget: Budget) -> Response:
        await budget.take()
        return await self._provider.answer(account.name, request)


class ScriptedHandler(BaseHandler):
    """Reads what the scripted provider shows; errors are what they look like, 403 is for good."""

    def inbox_key(self, topic: str, body: bytes) -> str:
        """Return a key that tells both."""
        return f"{topic}:{body.decode()}"

    def interpret(self, observation: Observation) -> Interpretation:
        """Refuse: nothing here routes."""
        raise NotImplementedError

    def watches(self) -> Sequence[Watch]:
        """Return the one watch that every account has."""
        return (Watch(self.account.name, "root", "all"),)

    def poll(
        self,
        watch: Watch,
        age: timedelta,
        session: Session,  # noqa: ARG002
        memory: bytes = b"",  # noqa: ARG002
    ) -> Conversation[Polled]:
        """Ask for the path of the watch, and tell its age."""
        shown = yield from self._ask(f"/{watch.account}/{watch.kind}/{watch.id}", age)
        pace = shown.get("pace")
        return Polled(
            resources=tuple(Resource(watch.kind, compact(r)) for r in shown.get("resources", ())),
            discovered=tuple(
                Discovery(Watch(watch.account, "thing", found), float(pace))
                for found, pace in shown.get("found", {}).items()
            ),
            status=shown.get("word"),
            pace=None if pace is None else float(pace),
            ending=shown.get("ending"),
        )

    def look_up(self, claims: Sequence[Claim], session: Session) -> Conversation[LookedUp]:  # noqa: ARG002
        """Ask for one listing; a claim is borne out if the listing shows its id."""
        shown = yield from self._ask(f"/{self.account.name}/listing")
        resources = shown.get("resources", [])
        return LookedUp(
            tuple(Resource("listing", compact(r)) for r in resources),
            {
                claim: "the listing does not show it"
                for claim in claims
                if claim.id not in resources
            },
        )

    def can_look_up(self, claim: Claim) -> bool:  # noqa: ARG002
        """Answer that it can."""
        return True

    def _ask(self, path: str, age: timedelta | None = None) -> Conversation[Any]:
        headers = {} if age is None else {"age": str(age.total_seconds())}
        response = yield Request("GET", path, headers=headers)
        if response.status == _UNAUTHORIZED:
            raise Refused("401")
        if response.status == _FORBIDDEN:
            raise RefusedForGood("403")
        if response.status == _UNAVAILABLE:
            raise AccountFailed("503")
        if response.status != _OK:
            raise WatchFailed(str(response.status))
        return response.object()


def bind(account: AccountSettings) -> Handler:
    """Return the knowledge of the scripted provider for one account."""
    return ScriptedHandler(account)
