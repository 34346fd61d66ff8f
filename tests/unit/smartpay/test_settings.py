from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from config.account import AccountSettings
from handlers.smartpay import provider
from tests.unit.smartpay.host import handler, settings


def test_budget_is_low_by_default() -> None:
    """An account that says nothing calls at most 60 times an hour."""
    account = settings()
    assert (account.calls, account.calls_per) == (60, timedelta(hours=1))
    assert account.base_url == "https://api.smartpay.curexe.com"


def test_version_2_needs_the_iframe_key() -> None:
    """Version 2-0 signs in with the iframe key, so it cannot be left out."""
    with pytest.raises(ValidationError, match="iframe_key"):
        settings(api_version="2-0", iframe_key=None)


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key": ""},
        {"previous_api_keys": [" "]},
        {"previous_api_keys": [{"key": "", "until": "2026-12-31"}]},
        {"signing_keys": [""]},
        {"iframe_key": ""},
    ],
)
def test_an_empty_key_is_refused(changed: dict[str, object]) -> None:
    """Anyone could sign with an empty key."""
    with pytest.raises(ValidationError, match="empty key"):
        settings(**changed)


def test_every_accepted_key_has_a_fingerprint() -> None:
    """Two accounts that share any signing key can be found out."""
    keys = settings(
        previous_api_keys=["old", {"key": "older", "until": "2026-12-31"}], signing_keys=["other"]
    )
    assert len(keys.signing_key_fingerprints()) == 4
    assert settings(api_key="old").signing_key_fingerprints() < keys.signing_key_fingerprints()


def test_a_previous_key_counts_through_its_last_day() -> None:
    """``until`` is the last day, in UTC."""
    account = settings(previous_api_keys=[{"key": "old", "until": "2026-12-31"}])
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert b"old" in account.accepted_keys(last)
    assert b"old" not in account.accepted_keys(last + timedelta(seconds=1))


def test_trusting_the_topic_is_warned_about() -> None:
    """An account that believes the unsigned topic is told so; it does not by default."""
    assert not settings().warnings()
    assert any(
        "trust_topic_header" in told for told in settings(trust_topic_header=True).warnings()
    )


def test_keys_are_in_no_text() -> None:
    """Neither the settings nor the handler's parts show a key."""
    account = settings(previous_api_keys=["old-secret"], signing_keys=["signing-secret"])
    assert "secret" not in repr(account)
    assert "sandbox-api-key" not in repr(account)


def test_provider_binds_its_own_accounts_only() -> None:
    """The entry point's provider binds SmartPay settings, and refuses others."""
    assert provider.name == "smartpay"
    assert provider.bind(settings()).account == handler().account
    stranger = AccountSettings(name="other", provider="other", base_url="https://example.com")
    with pytest.raises(TypeError, match="not a SmartPay account"):
        provider.bind(stranger)


@pytest.mark.parametrize(
    ("key", "value"), [("manage_webhooks", True), ("import_since", "2026-01-01")]
)
def test_a_key_without_effect_is_warned_of(key: str, value: object) -> None:
    """Whoever sets a key of a part that is still to come is told what holds meanwhile."""
    warnings = settings(**{key: value}).warnings()
    assert any(warning.startswith(f"{key} has no effect yet") for warning in warnings)
