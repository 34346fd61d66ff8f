"""Conversations with SmartPay's API: signing in, keeping the token, reading listings, changing.

Use of the API is monitored, and calling too often or going on after errors gets an account
disabled. So a token is kept for its hour, and only a rejected token is answered with another try.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from handlers.exchange import (
    AccountFailed,
    Conversation,
    Refused,
    RefusedForGood,
    Request,
    Response,
)
from handlers.jsontext import JsonObject
from handlers.provider import Session
from handlers.registration import Action, Step, StepFailed
from handlers.smartpay.answers import Answer, read_answer

Collection: TypeAlias = Literal["invoices", "orders"]
"""A collection that can be reconciled."""

Listed: TypeAlias = Literal["invoices", "orders", "webhooks"]
"""A collection that has a listing."""

TOKEN_LIFETIME = timedelta(hours=1)
"""How long a token lives, by SmartPay's API documents."""

_MARGIN = timedelta(minutes=2)
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Token:
    """A token and how long it lives, by the provider's word; None if it says nothing usable."""

    text: str
    lifetime: timedelta | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a listing; ``is_whole`` is false if there were more pages than were read.

    ``pages`` is how many pages there are, by the last one's word.
    """

    rows: tuple[JsonObject, ...]
    is_whole: bool
    pages: int = 1


class Dialect(Protocol):
    """What differs between the versions of the API."""

    @property
    def secrets(self) -> Iterable[str]:
        """Return what must not be in any message."""

    def sign_in(self) -> Request:
        """Return the request for a token."""

    def token(self, answer: Answer, now: datetime) -> Token:
        """Return the token in the answer to it.

        Raises:
            AccountFailed: there is none.

        """

    @property
    def can_test(self) -> bool:
        """Return whether the version has a call for a test notification."""

    def listing(
        self, token: str, collection: Listed, filters: Mapping[str, str], page: int
    ) -> Request:
        """Return the request for one page of a listing."""

    def change(self, token: str, step: Step) -> Request:
        """Return the request that carries out a step.

        Raises:
            StepFailed: the version has no call for it, or the step has no id that could be called.

        """


class Api:
    """One account's API, in the dialect of its version."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def listing(
        self,
        collection: Listed,
        filters: Mapping[str, str],
        session: Session,
        *,
        most_pages: int,
        first_page: int = 1,
    ) -> Conversation[Listing]:
        """Read a listing, page by page; its number of pages may grow meanwhile.

        Raises:
            RefusedForGood: the key is wrong, or the account disabled.
            Refused: it is probably so.
            AccountFailed: any other error, or an answer that is no listing.

        """
        rows: list[JsonObject] = []
        before: list[JsonObject] = []
        for page in range(first_page, first_page + most_pages):

            def ask(token: str, page: int = page) -> Request:
                return self._dialect.listing(token, collection, filters, page)

            answer = yield from self._call(ask, session)
            read = answer.rows()
            pages = answer.total_pages(page)
            # Who tells no number of pages may know none, and show everything each time.
            if read == before and not answer.tells_pages:
                return Listing(tuple(rows), is_whole=True, pages=page)
            rows += read
            if not read or page >= pages:
                return Listing(tuple(rows), is_whole=True, pages=pages)
            before = read
        return Listing(tuple(rows), is_whole=False, pages=pages)

    def change(self, step: Step, session: Session) -> Conversation[Answer | None]:
        """Carry out a step; return the answer, None where what is to be deleted is gone already.

        Only a rejected token is answered with another try: nothing was done then. Where no answer
        came nobody knows what was done, so it is for the next look at the listing to say.

        Raises:
            StepFailed: SmartPay refuses the step, or it cannot be asked for.
            RefusedForGood: the key is wrong, or the account disabled.
            Refused: it is probably so.
            AccountFailed: any other error, throttling among them.

        """
        # A step that cannot be asked for fails before a call is spent on signing in.
        self._dialect.change("", step)
        answer = yield from self._ask(
            lambda token: self._dialect.change(token, step), session, may_be_empty=True
        )
        if answer.says_gone and step.action is Action.DELETE:
            return None
        if answer.refuses_call:
            raise StepFailed(self._told(answer, session))
        self._ensure_good(answer, session)
        return answer

    @property
    def can_test(self) -> bool:
        """Return whether SmartPay can be asked for a test notification."""
        return self._dialect.can_test

    def _call(self, ask: Callable[[str], Request], session: Session) -> Conversation[Answer]:
        answer = yield from self._ask(ask, session)
        self._ensure_good(answer, session)
        return answer

    def _ask(
        self, ask: Callable[[str], Request], session: Session, *, may_be_empty: bool = False
    ) -> Conversation[Answer]:
        token = yield from self._signed_in(session)
        answer = self._heard((yield ask(token)), session, may_be_empty=may_be_empty)
        if answer.rejects_token:
            # Another conversation of this account may have signed in again meanwhile.
            if session.token == token:
                session.forget()
            token = yield from self._signed_in(session)
            answer = self._heard((yield ask(token)), session, may_be_empty=may_be_empty)
            if answer.rejects_token:
                session.forget()
                raise AccountFailed(self._told(answer, session))
        return answer

    def _signed_in(self, session: Session) -> Conversation[str]:
        now = session.now()
        if (
            session.token is not None
            and session.expires_at is not None
            and now < session.expires_at
        ):
            return session.token
        answer = self._heard((yield self._dialect.sign_in()), session)
        self._ensure_good(answer, session)
        token = self._dialect.token(answer, now)
        lifetime = token.lifetime
        if lifetime is None or not _MARGIN < lifetime <= TOKEN_LIFETIME:
            # Their clock and ours differ: a token that seems dead at birth would be fetched anew
            # for every call.
            lifetime = TOKEN_LIFETIME
        session.token, session.expires_at = token.text, now + lifetime - _MARGIN
        return token.text

    def _heard(self, response: Response, session: Session, *, may_be_empty: bool = False) -> Answer:
        answer = read_answer(response, may_be_empty=may_be_empty)
        session.warnings.update(self._clean(warning, session) for warning in answer.warnings)
        return answer

    def _ensure_good(self, answer: Answer, session: Session) -> None:
        if answer.is_good:
            return
        if answer.refuses_for_good:
            raise RefusedForGood(self._told(answer, session))
        if answer.refuses_account:
            raise Refused(self._told(answer, session))
        raise AccountFailed(self._told(answer, session))

    def _told(self, answer: Answer, session: Session) -> str:
        return self._clean(answer.failure(), session)

    def _clean(self, text: str, session: Session) -> str:
        for secret in filter(None, (*self._dialect.secrets, session.token)):
            text = text.replace(secret, "***")
        # Cut only now: a secret that was cut in two would not be found.
        return text[:_LONGEST_TEXT]
