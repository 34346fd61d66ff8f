"""What a provider gets without writing a line: the defaults of the protocol."""

from datetime import UTC, datetime, timedelta

import pytest

from config.account import AccountSettings
from handlers.fact import Claim
from handlers.provider import BadSignature, BaseHandler, Ending, LookedUp, Polled, Session, Watch
from tests.support.conversation import converse, script

SETTINGS = AccountSettings(name="shop", provider="acme", base_url="https://acme.example")
HANDLER = BaseHandler(SETTINGS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = Claim("invoice", "paid", "invoice_id", "1")


def session() -> Session:
    """Return a session that nothing was done in."""
    return Session(lambda: NOW)


def test_a_handler_knows_its_account() -> None:
    """The settings that a handler was bound to are its account."""
    assert HANDLER.account is SETTINGS


def test_without_webhooks_nothing_is_signed() -> None:
    """Every webhook is refused, by the provider's name."""
    with pytest.raises(BadSignature, match="acme sends no webhooks"):
        HANDLER.verify({"x-signature": "x"}, b"{}", NOW)


def test_without_watches_none_can_be_registered() -> None:
    """There are no watches from the beginning, and none can be added."""
    assert HANDLER.watches() == ()
    with pytest.raises(ValueError, match="acme"):
        HANDLER.watch("invoice", "1")
    with pytest.raises(ValueError, match="acme"):
        HANDLER.watch_resource({"id": 1}, "invoice")


def test_a_watch_that_should_not_be_ends_at_once() -> None:
    """A poll asks for nothing, shows nothing and ends."""
    conversation = HANDLER.poll(Watch("shop", "invoice", "1"), timedelta(), session())
    assert converse(conversation, script()) == Polled(ending=Ending.DONE)


def test_what_cannot_be_looked_up_is_not_borne_out() -> None:
    """Every claim is refuted without a call."""
    assert not HANDLER.can_look_up(CLAIM)
    found = converse(HANDLER.look_up([CLAIM], session()), script())
    assert found == LookedUp((), {CLAIM: "the provider cannot be asked"})


def test_a_watch_has_a_key_of_its_own() -> None:
    """The key names account, kind and id, whatever the id holds."""
    assert Watch("cherries", "cherries_requests", "123").key == "cherries/cherries_requests/123"
    assert Watch("a", "k", "1/2").key == "a/k/1%2F2"


def test_a_session_forgets_its_token() -> None:
    """A dropped token is gone with its end, and no token is ever shown."""
    used = session()
    used.token, used.expires_at = "s3cret", NOW
    assert "s3cret" not in repr(used)
    used.forget()
    assert used == Session(used.now)
