from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config.account import AccountSettings
from config.accounts import load_account_file
from config.loading import load
from config.problems import ConfigError
from handlers.smartpay import provider
from handlers.smartpay.sandbox.access import API_KEY
from handlers.smartpay.settings import SmartPaySettings
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
        {"next_api_key": ""},
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
        next_api_key="new",
        previous_api_keys=["old", {"key": "older", "until": "2026-12-31"}],
        signing_keys=["other"],
    )
    assert len(keys.signing_key_fingerprints()) == 5
    for shared in ("new", "old"):
        other = settings(api_key=shared)
        assert other.signing_key_fingerprints() < keys.signing_key_fingerprints()


def test_the_next_key_is_another_one() -> None:
    """After a rotation it is left out; to leave it there is a mistake that is told."""
    with pytest.raises(ValidationError, match="next_api_key: is the same key as api_key"):
        settings(api_key="new", next_api_key="new")


def test_the_next_key_can_be_a_file(tmp_path: Path) -> None:
    """Like any secret, also in a folder of accounts, where it is read anew while running."""
    (tmp_path / "new-key").write_text("new\n")
    (tmp_path / "shop.toml").write_text(
        f"provider = 'smartpay'\napi_key = 'old'\nnext_api_key_file = '{tmp_path / 'new-key'}'\n"
    )
    account = load_account_file(tmp_path / "shop.toml", {"smartpay": SmartPaySettings})
    assert isinstance(account, SmartPaySettings)
    assert account.next_api_key == SecretStr("new")


@pytest.mark.parametrize(
    ("previous", "told"),
    [
        ("old", "previous_api_keys[0] has no last day"),
        ({"key": "old", "until": "2020-01-31"}, "previous_api_keys[0] counted until 2020-01-31"),
        ({"key": "old", "until": "9999-12-31"}, ""),
    ],
)
def test_a_previous_key_that_should_go_is_warned_about(previous: object, told: str) -> None:
    """A key is kept for a stated time, and then taken out."""
    warnings = settings(previous_api_keys=[previous]).warnings()
    assert [warning.partition(";")[0] for warning in warnings] == ([told] if told else [])


def test_a_previous_key_has_no_name_once_it_ran_out() -> None:
    """What it signs is then refused; without a time every key has its name."""
    account = settings(previous_api_keys=[{"key": "old", "until": "2026-12-31"}])
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    name = "previous_api_keys[0] (until 2026-12-31)"
    assert name in account.signing_key_names(last).values()
    assert name not in account.signing_key_names(last + timedelta(seconds=1)).values()
    assert name in account.signing_key_names().values()


def test_a_key_that_is_there_twice_goes_by_its_first_name() -> None:
    """One key, one name."""
    assert list(settings(signing_keys=[API_KEY]).signing_key_names().values()) == ["api_key"]


def test_a_previous_key_counts_through_its_last_day() -> None:
    """``until`` is the last day, in UTC."""
    account = settings(previous_api_keys=[{"key": "old", "until": "2026-12-31"}])
    [_, old] = account.accepted_keys()
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert old.counts_at(last)
    assert not old.counts_at(last + timedelta(seconds=1))


def test_trusting_the_topic_is_warned_about() -> None:
    """An account that believes the unsigned topic is told so; it does not by default."""
    assert not settings().warnings()
    assert any(
        "trust_topic_header" in told for told in settings(trust_topic_header=True).warnings()
    )


def test_keys_are_in_no_text() -> None:
    """Neither the settings nor the handler's parts show a key."""
    account = settings(previous_api_keys=["old-secret"], signing_keys=["signing-secret"])
    assert "secret" not in repr(account) + repr(list(account.accepted_keys()))
    assert "sandbox-api-key" not in repr(account)


def test_provider_binds_its_own_accounts_only() -> None:
    """The entry point's provider binds SmartPay settings, and refuses others."""
    assert provider.name == "smartpay"
    assert provider.bind(settings()).account == handler().account
    stranger = AccountSettings(name="other", provider="other", base_url="https://example.com")
    with pytest.raises(TypeError, match="not a SmartPay account"):
        provider.bind(stranger)


def test_a_lookback_within_an_interval_is_a_mistake() -> None:
    """What happened between two readings would never be read."""
    with pytest.raises(ValidationError, match="reconcile_lookback: is shorter"):
        settings(reconcile_interval="2h", reconcile_lookback="1h")
    assert settings(reconcile_interval="1h", reconcile_lookback="1h").reconcile_lookback


@pytest.mark.parametrize(("calls", "is_told"), [(16, False), (15, True)])
def test_an_interval_that_takes_most_of_the_calls_is_told(calls: int, *, is_told: bool) -> None:
    """Eight of an hour's calls read what is new: what is older needs its share."""
    warnings = settings(calls=calls).warnings()
    assert any("reconcile_interval" in warning for warning in warnings) == is_told


_MANAGED = """
[accounts.shop]
provider = "smartpay"
api_key = "k"
manage_webhooks = true
"""


def test_webhooks_that_would_lead_nowhere_are_a_mistake(tmp_path: Path) -> None:
    """A service that is to register them must know its own URL."""
    written = tmp_path / "payevents.toml"
    written.write_text(_MANAGED)
    with pytest.raises(ConfigError) as refused:
        load(written, {}, {"smartpay": SmartPaySettings})
    assert "http.public_url" in str(refused.value)
    url = {"PAYEVENTS_HTTP__PUBLIC_URL": "https://pay.example.com"}
    assert load(written, url, {"smartpay": SmartPaySettings}).accounts["shop"].needs_public_url()


def test_an_account_of_the_folder_that_leads_nowhere_is_warned_of(tmp_path: Path) -> None:
    """It may come at any time, and must not keep a service from starting."""
    (tmp_path / "shop.toml").write_text(_MANAGED.replace("[accounts.shop]", ""))
    folder = {"PAYEVENTS_ACCOUNTS_DIR": str(tmp_path)}
    warnings = load(None, folder, {"smartpay": SmartPaySettings}).warnings()
    assert any("accounts.shop: manage_webhooks needs" in warning for warning in warnings)
