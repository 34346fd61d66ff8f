"""One account at a provider's sandbox, and a host for it without sockets, Kafka or waiting."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec import structs

from handlers.exchange import Conversation, ProviderFailure, Request, Response
from handlers.fact import Claim, Uninterpretable
from handlers.jsontext import Json
from handlers.observation import Observation, Origin
from handlers.provider import (
    RECONCILIATION,
    BadSignature,
    Ending,
    LookedUp,
    Polled,
    Provider,
    Resource,
    Session,
    Watch,
)
from handlers.sandbox import Callback, Notification
from tests.conformance.transcript import AnyTranscript, Starter, Transcript
from tests.support.conversation import converse

ACCOUNT = "shop"
BASE_URL = "http://127.0.0.1:8080/api/v1"
HOOK = "http://127.0.0.1:8081/webhooks/shop"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

_Shown = TypeVar("_Shown", Polled, LookedUp)

_TICK = timedelta(minutes=1)
_UNAUTHORIZED, _OK = 401, 200


@dataclass
class World:
    """Lets things happen at a sandbox, and reads them as the service would.

    Each conversation is held twice, with a new session and with the account's own, and must come
    to the same; ``transcripts`` keeps the last good one of each, ``memories`` what a look at a
    watch left behind, ``looked_at`` each watch that was ever read, ``told_by`` the facts that
    observations of each origin asserted.
    """

    provider: Provider
    now: datetime = NOW
    asserted: set[UUID] = field(default_factory=set)
    observations: list[Observation] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    watches: dict[str, Watch] = field(default_factory=dict)
    looked_at: dict[str, Watch] = field(default_factory=dict)
    claims: dict[Claim, None] = field(default_factory=dict)
    transcripts: dict[str, AnyTranscript] = field(default_factory=dict)
    told_by: dict[Origin, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    memories: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sandbox = self.provider.sandbox()
        self.settings = self.sandbox.account(ACCOUNT, BASE_URL)
        self.sandbox.subscribe(HOOK)
        self.handler = self.provider.bind(self.settings)
        self.session = Session(lambda: self.now)
        self._register(*self.handler.watches())

    def play_story(self) -> None:
        """Play the sandbox's story, looking around after each step."""
        begun = self.now
        for step in self.sandbox.story:
            self.now = max(self.now, begun + timedelta(seconds=step.at))
            shown = self.sandbox.controls[step.control].run(step.arguments, self.now)
            if step.watch:
                assert isinstance(shown, dict)
                self._register(self.handler.watch_resource(shown, None))
            self.look_around()

    def cause_everything(self) -> None:
        """Run every control with its default arguments; one that needs more says so."""
        for control in self.sandbox.controls.values():
            try:
                shown = control.run({}, self.now)
            except ValueError:
                continue
            self._register_shown(shown)
            self.look_around()

    def look_around(self) -> None:
        """Take what is delivered, poll all that is watched, look up all that is claimed."""
        self.now += _TICK
        for notification in self.sandbox.due(self.now):
            self.sandbox.answered(notification.id, self.deliver(notification), self.now)
        polled: set[str] = set()
        while new := self.watches.keys() - polled:
            for key in sorted(new):
                self._poll(self.watches[key])
            polled |= new
        while self.claims:
            claim, _ = self.claims.popitem()
            self._look_up(claim)

    def deliver(self, notification: Notification) -> int:
        """Take a notification as the public listener does, and return the status it gets."""
        self.notifications.append(notification)
        try:
            topic, _ = self.handler.verify(notification.headers, notification.body, self.now)
        except BadSignature:
            return _UNAUTHORIZED
        self.observe(Origin.WEBHOOK, topic, notification.body)
        return _OK

    def observe(self, origin: Origin, topic: str, body: bytes) -> None:
        """Read one observation, and keep what it asserts and claims."""
        observation = Observation(ACCOUNT, origin, topic, self.now, body)
        self.observations.append(observation)
        try:
            said = self.handler.interpret(observation)
        except Uninterpretable:
            return
        if said.reading is not None:
            facts = {fact.id for fact in said.reading.facts}
            self.asserted |= facts
            self.told_by[origin] |= facts
        if said.claim is not None and self.handler.can_look_up(said.claim):
            self.claims[said.claim] = None

    def reconcile(self, since: datetime, until: datetime) -> set[UUID]:
        """Read once all that was created between two times; return the facts that it showed.

        Raises:
            ValueError: the provider says that there is nothing to reconcile with.

        """
        before = self.told_by.pop(Origin.RECONCILIATION, set())
        waiting = list(self.handler.reconciliation(since, until))
        while waiting:
            watch = waiting.pop()
            assert (watch.account, watch.kind) == (ACCOUNT, RECONCILIATION)
            polled = self._look_at(watch)
            assert polled is not None
            assert polled.ending == Ending.DONE
            for found in polled.discovered:
                assert found.watch.id.startswith(f"{watch.id}/")
                waiting.append(found.watch)
        found_now = self.told_by[Origin.RECONCILIATION]
        self.told_by[Origin.RECONCILIATION] = before | found_now
        return found_now

    def handle(self, request: Request) -> Response:
        """Let the sandbox answer a request, and keep the request."""
        self.requests.append(request)
        answer = self.sandbox.handle(request, self.now)
        if isinstance(answer, Callback):
            answer = answer.resume(self.deliver(answer.notification))
        return structs.replace(answer, received_at=self.now)

    def _poll(self, watch: Watch) -> None:
        polled = self._look_at(watch)
        if polled is None:
            return
        self._register(*(found.watch for found in polled.discovered))
        if polled.ending is not None:
            del self.watches[watch.key]

    def _look_at(self, watch: Watch) -> Polled | None:
        memory = self.memories.get(watch.key, b"")
        self.looked_at[watch.key] = watch

        def start(session: Session) -> Conversation[Polled]:
            return self.handler.poll(watch, timedelta(), session, memory)

        polled = self._twice(watch.key, start)
        if polled is not None:
            self._observe_all(polled.origin, polled.resources)
            if polled.memory is not None:
                self.memories[watch.key] = polled.memory
        return polled

    def _look_up(self, claim: Claim) -> None:
        def start(session: Session) -> Conversation[LookedUp]:
            return self.handler.look_up([claim], session)

        found = self._twice(repr(claim), start)
        if found is not None:
            self._observe_all(Origin.LOOKUP, found.resources)

    def _twice(self, name: str, start: Starter[_Shown]) -> _Shown | None:
        transcript = Transcript(start)
        try:
            first = transcript.record(Session(lambda: self.now), self.handle)
        except ProviderFailure:
            return None
        again = converse(start(self.session), self.handle)
        assert again == first, f"{name} is not the same when nothing has changed"
        self.transcripts[name] = transcript
        return first

    def _observe_all(self, origin: Origin, resources: tuple[Resource, ...]) -> None:
        for resource in resources:
            self.observe(origin, resource.topic, resource.body)

    def _register_shown(self, shown: Json) -> None:
        if not isinstance(shown, Mapping):
            return
        try:
            self._register(self.handler.watch_resource(shown, None))
        except ValueError:
            # Not something that can be watched: most controls show no such thing.
            return

    def _register(self, *watches: Watch) -> None:
        self.watches.update((watch.key, watch) for watch in watches)
