"""Checks of signatures: nothing counts that the provider did not sign."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from handlers.provider import BadSignature
from handlers.sandbox import Notification
from tests.conformance.readings import inherited
from tests.conformance.secrets import secrets_of, shown_in
from tests.conformance.strategies import any_text
from tests.conformance.world import NOW, World


class WebhookChecks:
    """A webhook is refused unless it is signed; a provider without webhooks refuses them all."""

    @inherited
    @given(data=st.data(), body=st.binary(max_size=50))
    def test_what_is_not_signed_is_refused(
        self, world: World, data: st.DataObject, body: bytes
    ) -> None:
        """Whatever the headers hold, without a signature of this body nothing is accepted."""
        names = sorted({name for each in world.notifications for name in each.headers})
        name = st.sampled_from(names) | any_text if names else any_text
        headers = data.draw(st.dictionaries(name, any_text, max_size=5))
        assert refusal(world, headers, body) is not None

    def test_a_notification_without_headers_is_refused(self, world: World) -> None:
        """The body alone proves nothing."""
        for notification in world.notifications:
            assert refusal(world, {}, notification.body) is not None

    def test_a_notification_with_another_body_is_refused(self, world: World) -> None:
        """The signature is of the raw body: each byte counts."""
        for notification in genuine(world):
            for body in (notification.body + b" ", notification.body[:-1], b""):
                assert refusal(world, notification.headers, body) is not None

    @inherited
    @given(data=st.data(), odd=any_text)
    def test_a_topic_can_always_be_kept(self, world: World, data: st.DataObject, odd: str) -> None:
        """Whatever an unsigned header holds, the topic that is returned fits into a record."""
        signed = genuine(world)
        if not signed:
            # Without webhooks there is no topic: that all are refused is checked above.
            return
        notification = data.draw(st.sampled_from(signed))
        name = data.draw(st.sampled_from(sorted(notification.headers)))
        headers = {**notification.headers, name: odd}
        try:
            topic, _ = world.handler.verify(headers, notification.body, NOW)
        except BadSignature:
            return
        assert topic.encode().decode() == topic
        assert "\n" not in topic


def genuine(world: World) -> list[Notification]:
    """Return the notifications that the handler accepts as they came."""
    return [n for n in world.notifications if refusal(world, n.headers, n.body) is None]


def refusal(world: World, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return why a webhook is refused, None if it is accepted; no secret may be in it."""
    told = None
    try:
        world.handler.verify(headers, body, NOW)
    except BadSignature as refused:
        told = str(refused)
    assert shown_in(told or "", secrets_of(world.settings)) == []
    return told
