"""Checks of conversations that go wrong: at any step, in any way."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.exchange import ProviderFailure, Response
from handlers.jsontext import Json
from handlers.observation import Observation, Origin
from handlers.provider import LookedUp, Polled, Session, Watch
from tests.conformance.judged import interpreted
from tests.conformance.readings import inherited
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.strategies import bad_answers
from tests.conformance.transcript import MOST_REQUESTS, Transcript
from tests.conformance.world import ACCOUNT, World
from tests.support.conversation import converse, script

_ALWAYS = set(range(MOST_REQUESTS))
_BODIES = [b"", b"garbage", b"null", b"[]", b"{}", b'"x"', b"\xff", b"[" * 100_000]
_STATUSES = [200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503]
ANSWERS = [None, *(Response(status, body) for status in _STATUSES for body in _BODIES)]


class FailureChecks:
    """Whatever goes wrong is a ProviderFailure: the host backs off, and nothing else breaks."""

    def test_there_is_something_to_go_wrong(self, world: World) -> None:
        """The sandbox's story holds each kind of conversation that the provider has."""
        has_watches = bool(world.handler.watches()) or any(
            observation.origin is Origin.POLL for observation in world.observations
        )
        assert world.transcripts or not has_watches

    def test_an_error_at_any_step_is_a_failure(self, world: World) -> None:
        """Each step gets each bad answer, and no answer too: nothing but a failure comes of it."""
        for transcript in world.transcripts.values():
            for at in range(len(transcript.exchanges)):
                for bad in ANSWERS:
                    hold(world, transcript, bad, {at})

    def test_a_provider_that_is_down_is_a_failure(self, world: World) -> None:
        """Where every request goes wrong the conversation ends, soon, and shows nothing."""
        for transcript in world.transcripts.values():
            for bad in (None, Response(500), Response(503, b"<html>"), Response(401)):
                assert hold(world, transcript, bad, _ALWAYS) is None

    @inherited
    @given(data=st.data())
    def test_an_answer_that_is_wrong_somewhere_breaks_nothing(
        self, world: World, data: st.DataObject
    ) -> None:
        """One value replaced by any other: a failure, or resources that are read or refused."""
        if not world.transcripts:
            # A provider that is never asked gets no answers.
            return
        transcript = data.draw(st.sampled_from(list(world.transcripts.values())))
        at = data.draw(st.integers(0, len(transcript.exchanges) - 1))
        bad = data.draw(bad_answers(transcript.exchanges[at][1]))
        found: Polled | LookedUp | None = hold(world, transcript, bad, {at})
        for resource in () if found is None else found.resources:
            seen = Observation(ACCOUNT, Origin.POLL, resource.topic, world.now, resource.body)
            interpreted(world.handler, seen)

    def test_an_answer_that_repeats_a_secret_is_not_repeated(self, world: World) -> None:
        """An error that echoes what we sent leads to a failure whose words hold no secret."""
        for transcript in world.transcripts.values():
            for at, (request, _) in enumerate(transcript.exchanges):
                echo = f"bad: {dict(request.headers)} {request.body.decode()}"
                for status in (200, 401, 404, 409, 500):
                    for body in echoes(echo):
                        hold(world, transcript, Response.json(status, body), {at})

    @inherited
    @given(kind=st.text(max_size=20), found=st.text(max_size=20))
    def test_a_watch_that_cannot_be_is_a_failure(self, world: World, kind: str, found: str) -> None:
        """A watch that the provider never made, as a store might hold one, harms nothing."""
        watch = Watch(ACCOUNT, kind, found)
        conversation = world.handler.poll(watch, timedelta(days=1), Session(lambda: world.now))
        with suppress(ProviderFailure):
            converse(conversation, script(*[Response(404)] * 3))


def hold(world: World, transcript: Transcript[Any], bad: Response | None, at: set[int]) -> Any:
    """Hold a conversation in which something goes wrong, signed in before it or not.

    Return what the latter found, None if it failed.
    """
    signed_in = Session(lambda: world.now)
    transcript.replay(signed_in, bad=None, at=set())
    for session in (signed_in, Session(lambda: world.now)):
        tokens = [session.token or ""]
        found, told = None, "something"
        try:
            found = transcript.replay(session, bad=bad, at=at)
        except ProviderFailure as failure:
            told = str(failure)
        assert told, "a failure says what went wrong"
        credentials = [*secrets_of(world.settings), *sent_in(transcript), *tokens]
        assert shown_in(told, [*credentials, session.token or ""]) == []
    return found


def echoes(text: str) -> list[Json]:
    """Return errors as providers write them, with ``text`` in them."""
    return [{"errors": [text]}, {"error": text}, {"errors": {"7": text}}]


def sent_in(transcript: Transcript[Any]) -> list[str]:
    """Return the credentials in a conversation's headers, encoded as they were sent."""
    sent = [asked.headers.get("authorization", "") for asked, _ in transcript.exchanges]
    return [credentials.split()[-1] for credentials in sent if credentials]
