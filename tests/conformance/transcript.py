"""Conversations as they went well once: to be held again, with something going wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from handlers.exchange import Conversation, Request, Response
from handlers.provider import LookedUp, Polled, Session
from tests.support.conversation import Answerer, converse

Found = TypeVar("Found")

Starter: TypeAlias = Callable[[Session], Conversation[Found]]
"""Begins a conversation in a session."""

MOST_REQUESTS = 200
"""A conversation that asks more often than this, while all goes wrong, would never end."""


@dataclass
class Transcript(Generic[Found]):
    """One conversation: how it begins, and what was asked and answered when it went well."""

    start: Starter[Found]
    exchanges: list[tuple[Request, Response]] = field(default_factory=list)

    def record(self, session: Session, answer: Callable[[Request], Response]) -> Found:
        """Hold the conversation, and keep what is said."""

        def keep(request: Request) -> Response:
            response = answer(request)
            self.exchanges.append((request, response))
            return response

        return converse(self.start(session), keep)

    def replay(self, session: Session, *, bad: Response | None, at: set[int]) -> Found:
        """Hold it again: the requests numbered ``at`` (from 0) get ``bad``, the others good ones.

        Raises:
            ProviderFailure: what the conversation makes of it.

        """
        return converse(self.start(session), self._answerer(bad, at))

    def _answerer(self, bad: Response | None, at: set[int]) -> Answerer:
        asked = 0

        def answer(request: Request) -> Response | None:
            nonlocal asked
            asked += 1
            assert asked <= MOST_REQUESTS, "the conversation does not end"
            return bad if asked - 1 in at else self._answer_to(request)

        return answer

    def _answer_to(self, request: Request) -> Response:
        same = [answer for asked, answer in self.exchanges if asked == request]
        alike = [answer for asked, answer in self.exchanges if asked.path == request.path]
        return (same or alike or [Response(500)])[0]


AnyTranscript: TypeAlias = Transcript[Polled] | Transcript[LookedUp]
"""A transcript of a poll or of a look-up."""
