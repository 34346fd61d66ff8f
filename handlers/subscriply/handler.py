"""What there is to watch at Subscriply, and how each watch is read.

The root watch lists the user's subscriptions, and is the account's probe: since every error is a
500, only its failure says that the account as a whole is not served. Each subscription has a watch
of its own on the index of its transactions; refunds and voids appear nowhere else.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from config.account import AccountSettings
from handlers.exchange import AccountFailed, CallFailed, Conversation, ProviderFailure, WatchFailed
from handlers.fact import Interpretation
from handlers.jsontext import Json, Unreadable, compact
from handlers.observation import Observation
from handlers.provider import BaseHandler, Discovery, Handler, Polled, Resource, Session, Watch
from handlers.resource import usable_id
from handlers.subscriply import api, facts
from handlers.subscriply.facts import SUBSCRIPTIONS, TRANSACTIONS
from handlers.subscriply.settings import SubscriplySettings

_ALL = "all"
_SUBSCRIPTION_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PACES: Mapping[Json, float] = {"canceled": 10.0}
_USUAL_PACE = 1.0
_OK = 200


class SubscriplyHandler(BaseHandler):
    """The knowledge of Subscriply, bound to one account."""

    def __init__(self, settings: SubscriplySettings) -> None:
        super().__init__(settings)
        self._settings = settings

    def inbox_key(self, topic: str, body: bytes) -> str:  # noqa: ARG002 - the type tells the kind
        """Return the key of the transaction in ``body``, else of its digest. Never raises."""
        return facts.inbox_key(self._settings, body)

    def interpret(self, observation: Observation) -> Interpretation:
        """Say which facts a transaction asserts.

        Raises:
            Uninterpretable: it cannot become events.

        """
        return facts.interpret(self._settings, observation)

    def watches(self) -> Sequence[Watch]:
        """Return the root watch, which finds all others."""
        return (Watch(self._settings.name, SUBSCRIPTIONS, _ALL),)

    def poll(
        self,
        watch: Watch,
        age: timedelta,  # noqa: ARG002 - a transaction may change however old it is
        session: Session,
        memory: bytes = b"",  # noqa: ARG002 - what was seen tells all
    ) -> Conversation[Polled]:
        """List the subscriptions, or the transactions of one.

        Raises:
            AccountFailed: the subscriptions cannot be listed, or nobody can sign in.
            Refused: the credentials are not accepted.
            WatchFailed: the transactions of this one subscription cannot be read.

        """
        if (watch.kind, watch.id) == (SUBSCRIPTIONS, _ALL):
            return self._poll_subscriptions(session)
        if watch.kind == TRANSACTIONS and _SUBSCRIPTION_ID.fullmatch(watch.id):
            return self._poll_transactions(watch.id, session)
        return _unknown(watch)

    def _poll_subscriptions(self, session: Session) -> Conversation[Polled]:
        elements = yield from self._list(
            f"/{SUBSCRIPTIONS}", SUBSCRIPTIONS, session, failure=AccountFailed
        )
        discovered: dict[str, Discovery] = {}
        odd: list[Resource] = []
        for element in elements:
            found = self._discover(element)
            if found is None:
                odd.append(Resource(SUBSCRIPTIONS, compact(element)))
            else:
                discovered[found.watch.id] = found
        return Polled(resources=tuple(odd), discovered=tuple(discovered.values()))

    def _poll_transactions(self, subscription: str, session: Session) -> Conversation[Polled]:
        path = f"/{SUBSCRIPTIONS}/{subscription}/{TRANSACTIONS}"
        elements = yield from self._list(path, TRANSACTIONS, session, failure=WatchFailed)
        # Odd elements go along: the router makes dead letters of them, with the reason.
        return Polled(tuple(Resource(TRANSACTIONS, compact(each)) for each in elements))

    def _list(
        self, path: str, name: str, session: Session, failure: type[ProviderFailure]
    ) -> Conversation[list[Json]]:
        try:
            response = yield from api.get(self._settings, path, session)
        except CallFailed as error:
            msg = f"{path}: {error}"
            raise failure(msg) from error
        if response.status != _OK:
            msg = f"{path} got HTTP {response.status}"
            raise failure(msg)
        try:
            return api.collection(response.body, name)
        except Unreadable as error:
            msg = f"{path}: {error}"
            raise failure(msg) from None

    def _discover(self, subscription: Json) -> Discovery | None:
        """Return the watch on a subscription's transactions, None where it names none.

        A canceled one may still receive refunds and voids, so it is watched on, more slowly.
        """
        if not isinstance(subscription, dict):
            return None
        found = usable_id(subscription.get("id"))
        if found is None or not _SUBSCRIPTION_ID.fullmatch(found):
            return None
        state = subscription.get("state")
        pace = _PACES.get(state, _USUAL_PACE) if isinstance(state, str) else _USUAL_PACE
        return Discovery(Watch(self._settings.name, TRANSACTIONS, found), pace)


def _unknown(watch: Watch) -> Conversation[Polled]:
    yield from ()
    msg = f"Subscriply has nothing to watch that is called {watch.kind}/{watch.id:.40}"
    raise WatchFailed(msg)


def bind(account: AccountSettings) -> Handler:
    """Return the knowledge of Subscriply for one account.

    Raises:
        TypeError: the settings are another provider's.

    """
    if not isinstance(account, SubscriplySettings):
        msg = f"{type(account).__name__} is not the settings of a Subscriply account"
        raise TypeError(msg)
    return SubscriplyHandler(account)
