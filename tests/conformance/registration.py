"""Checks of registration: telling the provider's sandbox where to call us."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from handlers.exchange import CallFailed, Conversation, ProviderFailure, Request, Response
from handlers.observation import Origin
from handlers.provider import Provider, Session
from handlers.registration import Action, Registration, Step, StepFailed, Subscription
from handlers.sandbox import Callback
from tests.conformance.failures import ANSWERS, hold
from tests.conformance.judged import interpreted
from tests.conformance.requests import judge_path, judge_sendable
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.transcript import Found, Transcript
from tests.conformance.world import HOOK, World
from tests.support.conversation import converse

ELSEWHERE = "https://elsewhere.example.com/hook"
_ODD_IDS = ["../x", "a/b", "..", ".", "", "?page=2", "#", "a b", "\u00fc", "//host/x", "%2e%2e/x"]


class RegistrationChecks:
    """A provider that calls webhooks is told where, step by step; the others have nothing to do."""

    def test_what_is_subscribed_is_read(self, provider: Provider) -> None:
        """Each topic of a sandbox that was told to call us leads to us, under an id of its own."""
        world, registration = at_the_beginning(provider)
        if registration is None:
            return
        found = talk(world, registration.read)
        assert [(one.topic, one.url) for one in found if one.url == HOOK] == [
            (topic, HOOK) for topic in registration.topics
        ]
        assert len({one.id for one in found}) == len(found)
        assert all(one.id for one in found)

    def test_a_missed_webhook_can_be_told(self, world: World) -> None:
        """A webhook's own topic announces a fact that it tells: else nobody would ever miss it."""
        registration, announced = world.handler.registration, set()
        for observation in [] if registration is None else world.observations:
            said = interpreted(world.handler, observation)
            if said is None or said.reading is None or said.reading.resource.test:
                continue
            facts = said.reading.facts
            topics = {world.handler.announcing_topic(fact) for fact in facts} - {None}
            is_plain = observation.origin is Origin.WEBHOOK and said.claim is None
            assert not is_plain or observation.topic in topics
            announced |= topics
        assert announced == set(() if registration is None else registration.topics)

    def test_steps_do_what_they_say(self, provider: Provider) -> None:
        """Deleted, created, moved and back: the listing shows each step, under the id it told."""
        world, registration = at_the_beginning(provider)
        if registration is None:
            return
        for one in talk(world, registration.read):
            assert make(world, registration, step_on(Action.DELETE, one)) == one.id
        assert talk(world, registration.read) == ()
        for topic in registration.topics:
            made = make(world, registration, Step(Action.CREATE, topic, HOOK))
            one = Subscription(made, topic, HOOK)
            assert one in talk(world, registration.read)
            for url in (ELSEWHERE, HOOK):
                moved = replace(one, url=url)
                assert make(world, registration, step_on(Action.MODIFY, moved)) == one.id
                assert moved in talk(world, registration.read)
            if registration.can_test:
                assert make(world, registration, step_on(Action.TEST, one)) == one.id
        world.look_around()
        assert world.notifications
        assert world.asserted == world.sandbox.caused(world.settings.name)

    def test_a_url_that_does_not_take_it_fails_the_step(self, provider: Provider) -> None:
        """The provider calls, gets no 200, and refuses: StepFailed, and nothing has changed."""
        world, registration = at_the_beginning(provider)
        if registration is None:
            return
        before = talk(world, registration.read)
        step = replace(step_on(Action.MODIFY, before[0]), url=ELSEWHERE)
        for status in (None, 202, 500):
            with pytest.raises(StepFailed) as failed:
                converse(registration.carry_out(step, world.session), rejecting(world, status))
            credentials = [*secrets_of(world.settings), world.session.token or ""]
            assert shown_in(str(failed.value), credentials) == []
            assert str(failed.value)
        assert talk(world, registration.read) == before

    def test_whatever_goes_wrong_is_a_failure(self, provider: Provider) -> None:
        """Each request of each step gets each bad answer, and none; no secret is told."""
        world, registration = at_the_beginning(provider)
        for transcript in [] if registration is None else transcripts(world, registration):
            for at in range(len(transcript.exchanges)):
                for bad in ANSWERS:
                    hold(world, transcript, bad, {at})

    def test_a_lost_answer_is_not_asked_for_again(self, provider: Provider) -> None:
        """Nobody knows whether the change was made, so that it must not be made a second time."""
        world, registration = at_the_beginning(provider)
        if registration is None:
            return
        talk(world, registration.read)
        for step in steps(world, registration):
            asked: list[Request] = []

            def lost(request: Request, asked: list[Request] = asked) -> None:
                asked.append(request)

            with pytest.raises(CallFailed):
                converse(registration.carry_out(step, world.session), lost)
            assert len(asked) == 1

    def test_an_odd_id_addresses_nothing_else(self, provider: Provider) -> None:
        """Whatever an id is, a request about it stays below the account's URL, or is not made."""
        world, registration = at_the_beginning(provider)
        if registration is None:
            return
        topic = registration.topics[0]
        for odd in _ODD_IDS:
            for action in (Action.MODIFY, Action.DELETE, Action.TEST):
                asked = len(world.requests)
                with suppress(ProviderFailure):
                    make(world, registration, Step(action, topic, ELSEWHERE, odd))
                for request in world.requests[asked:]:
                    judge_path(request)
                    judge_sendable(request)
        assert [one.url for one in talk(world, registration.read)] == [HOOK] * len(
            registration.topics
        )


def at_the_beginning(provider: Provider) -> tuple[World, Registration | None]:
    """Return a world in which nothing has happened yet, and the account's registration."""
    world = World(provider)
    return world, world.handler.registration


def talk(world: World, start: Callable[[Session], Conversation[Found]]) -> Found:
    """Hold a conversation with the sandbox, in the account's session."""
    return converse(start(world.session), world.handle)


def make(world: World, registration: Registration, step: Step) -> str:
    """Carry a step out."""
    return converse(registration.carry_out(step, world.session), world.handle)


def step_on(action: Action, one: Subscription) -> Step:
    """Return a step on a subscription."""
    return Step(action, one.topic, one.url, one.id)


def steps(world: World, registration: Registration) -> list[Step]:
    """Return one step of each kind that the provider has, none of which was made yet."""
    first, second, *_ = talk(world, registration.read)
    on_first = [Action.MODIFY, *([Action.TEST] if registration.can_test else [])]
    make(world, registration, step_on(Action.DELETE, second))
    return [
        Step(Action.CREATE, second.topic, HOOK),
        *(step_on(action, first) for action in on_first),
        step_on(Action.DELETE, first),
    ]


def transcripts(
    world: World, registration: Registration
) -> list[Transcript[tuple[Subscription, ...]] | Transcript[str]]:
    """Return how each kind of conversation goes well, each with a session of its own."""
    reading = Transcript(registration.read)
    reading.record(Session(lambda: world.now), world.handle)
    held: list[Transcript[tuple[Subscription, ...]] | Transcript[str]] = [reading]
    for step in steps(world, registration):

        def start(session: Session, step: Step = step) -> Conversation[str]:
            return registration.carry_out(step, session)

        transcript = Transcript(start)
        transcript.record(Session(lambda: world.now), world.handle)
        held.append(transcript)
    return held


def rejecting(world: World, status: int | None) -> Callable[[Request], Response]:
    """Let the sandbox answer, but whatever URL it calls meanwhile answer with ``status``."""

    def answer(request: Request) -> Response:
        answered = world.sandbox.handle(request, world.now)
        return answered.resume(status) if isinstance(answered, Callback) else answered

    return answer
