"""Checks of what a provider makes of bytes: those it knows, and any others."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.jsontext import compact
from handlers.observation import Observation, Origin
from tests.conformance.judged import interpreted
from tests.conformance.strategies import garbage, json_values, spoiled
from tests.conformance.world import ACCOUNT, NOW, World

inherited = settings(
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow], deadline=None
)
"""Each provider's class inherits the same checks; a few of them hold long conversations."""


class ReadingChecks:
    """Bytes become readings or dead letters, and always have a key."""

    def test_what_the_sandbox_sends_is_read(self, world: World) -> None:
        """Every observation of the sandbox is well read, or is a dead letter with its reason."""
        assert world.observations
        said = [interpreted(world.handler, observation) for observation in world.observations]
        assert any(each is not None and each.reading is not None for each in said)

    @inherited
    @given(data=st.data(), topic=st.text(max_size=20))
    def test_any_bytes_have_one_key(self, world: World, data: st.DataObject, topic: str) -> None:
        """The inbox key is never refused, always the same, and within the account."""
        body, known_topic = data.draw(bodies(world)), data.draw(topics(world))
        for each in (topic, known_topic):
            key = world.handler.inbox_key(each, body)
            assert key == world.provider.bind(world.settings).inbox_key(each, body)
            assert key.startswith(f"{world.provider.name}/{ACCOUNT}/")
            assert key.isascii()

    @inherited
    @given(data=st.data(), origin=st.sampled_from(Origin))
    def test_any_bytes_are_read_or_refused(
        self, world: World, data: st.DataObject, origin: Origin
    ) -> None:
        """Whatever the bytes: a good reading, a claim, or Uninterpretable, nothing else."""
        topic = data.draw(topics(world) | st.text(max_size=20))
        body = data.draw(bodies(world))
        interpreted(world.handler, Observation(ACCOUNT, origin, topic, NOW, body))

    @inherited
    @given(data=st.data())
    def test_a_reading_is_the_same_each_time(self, world: World, data: st.DataObject) -> None:
        """What an observation says depends on nothing but the observation."""
        observation = data.draw(st.sampled_from(world.observations))
        other = world.provider.bind(world.settings)
        assert interpreted(world.handler, observation) == interpreted(other, observation)

    @inherited
    @given(data=st.data())
    def test_when_it_came_is_no_part_of_what_it_says(
        self, world: World, data: st.DataObject
    ) -> None:
        """The same bytes, told later and under another request, assert the same facts."""
        observation = data.draw(st.sampled_from(world.observations))
        later = replace(observation, received_at=NOW.replace(year=2100), request_id="other")
        assert interpreted(world.handler, observation) == interpreted(world.handler, later)


def bodies(world: World) -> st.SearchStrategy[bytes]:
    """Return bodies that are real, nearly real, or anything."""
    seen = st.sampled_from([observation.body for observation in world.observations])
    anything = st.binary(max_size=50) | garbage | json_values.map(compact)
    return seen | seen.flatmap(spoiled) | anything


def topics(world: World) -> st.SearchStrategy[str]:
    """Return the topics that the sandbox has used."""
    return st.sampled_from(sorted({observation.topic for observation in world.observations}))
