"""The day from which an account's facts give events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.account import AccountSettings
from config.loading import load
from config.problems import ConfigError
from receiver.accounts.providers import installed_providers

MODELS = {name: provider.settings for name, provider in installed_providers().items()}
TABLES = {
    "smartpay": 'api_key = "k"',
    "subscriply": 'base_url = "https://a.example"\nemail = "a@b"\npassword = "p"\ncurrency = "USD"',
    "voucherry": 'auth_token = "t"',
}


def account(tmp_path: Path, provider: str, import_since: str) -> AccountSettings:
    """Return the account "one" at a provider, from a file."""
    table = f'[accounts.one]\nprovider = "{provider}"\n{TABLES[provider]}\n'
    written = tmp_path / "payevents.toml"
    written.write_text(f"{table}import_since = {import_since}\n")
    return load(written, {}, MODELS).accounts["one"]


@pytest.mark.parametrize("provider", ["smartpay", "subscriply"])
def test_the_day_begins_at_midnight_in_utc(tmp_path: Path, provider: str) -> None:
    """As a date of TOML, or as text."""
    for given in ("2026-01-01", '"2026-01-01"'):
        found = account(tmp_path, provider, given)
        assert found.import_start() == datetime(2026, 1, 1, tzinfo=UTC)
        assert found.warnings() == []


@pytest.mark.parametrize("provider", ["smartpay", "subscriply"])
def test_a_day_that_is_yet_to_come_is_a_mistake(tmp_path: Path, provider: str) -> None:
    """Everything until then would be swallowed. Today is a day to begin with."""
    today = datetime.now(UTC).date()
    assert account(tmp_path, provider, str(today)).import_start() is not None
    with pytest.raises(ConfigError) as refused:
        account(tmp_path, provider, str(today + timedelta(days=2)))
    [problem] = refused.value.problems
    assert problem.where == "accounts.one.import_since"
    assert "yet to come: nothing would be published" in problem.what
    assert "an earlier day" in problem.fix


@pytest.mark.parametrize("given", ["2026-01-01T12:00:00Z", '"soon"', "true"])
def test_what_is_no_day_is_a_mistake(tmp_path: Path, given: str) -> None:
    """It is told where, as with any key."""
    with pytest.raises(ConfigError, match="import_since"):
        account(tmp_path, "smartpay", given)


def test_voucherry_has_no_history(tmp_path: Path) -> None:
    """Only what somebody registered is asked for: whoever did wants its events."""
    with pytest.raises(ConfigError, match="import_since"):
        account(tmp_path, "voucherry", "2026-01-01")
