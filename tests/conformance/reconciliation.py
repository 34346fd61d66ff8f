"""Checks of reconciliation: what was missed comes out as if it had not been."""

from datetime import timedelta

from handlers.observation import Origin
from handlers.provider import Provider
from tests.conformance.world import World

_HOUR = timedelta(hours=1)


class ReconciliationChecks:
    """A listing shows what webhooks told; a provider that has none says what to do instead."""

    def test_what_is_listed_has_the_ids_of_its_webhooks(self, provider: Provider) -> None:
        """Each fact that a webhook's body told is told again, under the same id, and no other."""
        world = World(provider)
        begun = world.now
        world.play_story()
        refusal = ""
        try:
            listed = world.reconcile(begun - _HOUR, world.now + _HOUR)
        except ValueError as refused:
            refusal, listed = str(refused), set()
        assert listed or refusal, "it shows nothing, and does not say why"
        assert refusal or world.told_by[Origin.WEBHOOK] <= listed
        assert world.asserted == world.sandbox.caused(world.settings.name)

    def test_what_is_listed_is_enough(self, provider: Provider) -> None:
        """Where no webhook ever came, reading the listing alone tells all that it told."""
        world = World(provider)
        begun = world.now
        for step in world.sandbox.story:
            world.now = max(world.now, begun + timedelta(seconds=step.at))
            world.sandbox.controls[step.control].run(step.arguments, world.now)
        try:
            listed = world.reconcile(begun - _HOUR, world.now + _HOUR)
        except ValueError:
            return
        assert listed == world.asserted == world.sandbox.caused(world.settings.name)
        assert listed
