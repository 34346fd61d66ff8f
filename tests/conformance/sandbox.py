"""Checks of handler and sandbox together: what the one tells, the other understands."""

from contextlib import suppress

import pytest

from handlers.jsontext import JsonObject
from handlers.provider import Provider
from tests.conformance.requests import judge_path, judge_sendable
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.world import BASE_URL, NOW, World


class SandboxChecks:
    """Whatever happens at the provider is told, read, and asserted once and for all."""

    def test_the_story_is_told_in_order(self, provider: Provider) -> None:
        """Each step names a control and arguments that there are, and none comes too early."""
        sandbox = provider.sandbox()
        steps = sandbox.story
        assert steps
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        for step in steps:
            assert step.arguments.keys() <= sandbox.controls[step.control].arguments.keys()

    def test_the_story_is_understood(self, provider: Provider) -> None:
        """The facts that the story's observations assert are those that the sandbox told."""
        world = World(provider)
        world.play_story()
        assert world.asserted
        assert world.asserted == world.sandbox.caused(world.settings.name)

    def test_all_that_can_be_caused_is_understood(self, world: World) -> None:
        """After every control the asserted facts are those that the sandbox told, no other."""
        assert world.asserted == world.sandbox.caused(world.settings.name)
        assert world.sandbox.caused("nobody-of-that-name") & world.asserted == frozenset()

    def test_a_second_account_does_not_mix_with_the_first(self, provider: Provider) -> None:
        """An account of another name has other facts, even at the same sandbox."""
        world = World(provider)
        other = world.sandbox.account("other", BASE_URL)
        assert other.name == "other"
        world.play_story()
        assert world.asserted == world.sandbox.caused(world.settings.name)
        assert world.sandbox.caused("other") & world.asserted == frozenset()

    def test_a_control_says_what_it_cannot_do(self, provider: Provider) -> None:
        """In an empty sandbox each control does what it can, or raises ValueError."""
        for name, control in provider.sandbox().controls.items():
            assert control.help, name
            with suppress(ValueError):
                control.run({}, NOW)

    def test_a_resource_that_names_nothing_cannot_be_watched(self, world: World) -> None:
        """What cannot be watched is refused with ValueError, in words."""
        elsewhere = "http://elsewhere.example/1"
        odd: list[JsonObject] = [{}, {"id": None}, {"id": "../x"}, {"id": []}, {"url": elsewhere}]
        for shown in odd:
            with pytest.raises(ValueError, match=r".+"):
                world.handler.watch_resource(shown, None)
        with pytest.raises(ValueError, match=r".+"):
            world.handler.watch("no such kind", "1")

    def test_requests_stay_below_the_accounts_url(self, world: World) -> None:
        """Each path begins with a slash, leads nowhere else, and has no query of its own."""
        for request in world.requests:
            judge_path(request)

    def test_requests_can_be_sent(self, world: World) -> None:
        """Methods are HTTP's, header names are in lower case, and header values fit on a line."""
        for request in world.requests:
            judge_sendable(request)

    def test_no_secret_is_in_an_url(self, world: World) -> None:
        """URLs end up in logs everywhere: neither secrets nor the token are ever part of one."""
        secrets = [*secrets_of(world.settings), world.session.token or ""]
        for request in world.requests:
            asked = [request.path, *request.query, *request.query.values()]
            assert shown_in("\n".join(asked), secrets) == []
