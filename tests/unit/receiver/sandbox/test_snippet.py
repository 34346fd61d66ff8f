"""The account of a sandbox, written as configuration."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.account import AccountSettings
from config.accounts import load_account_file
from handlers.provider import Provider
from handlers.smartpay import provider as smartpay
from handlers.subscriply import provider as subscriply
from handlers.voucherry import provider as voucherry
from receiver.sandbox.snippet import as_toml, offered


class OddSettings(AccountSettings):
    """Settings of every kind that can be written."""

    key: SecretStr
    old_keys: list[SecretStr]
    since: date | None = None
    eager: bool = False
    note: str | None = None


@pytest.mark.parametrize("provider", [smartpay, subscriply, voucherry])
def test_what_is_written_is_read_as_the_same_account(provider: Provider, tmp_path: Path) -> None:
    """Pasted into a configuration it gives the account that the sandbox accepts."""
    account = provider.sandbox().account("mine", "http://127.0.0.1:8080")
    tables = tomllib.loads(as_toml(account))
    assert list(tables["accounts"]) == ["mine"]
    assert tables["accounts"]["mine"]["provider"] == provider.name
    lines = as_toml(account).splitlines()
    (tmp_path / "mine.toml").write_text("\n".join(lines[1:]))
    assert load_account_file(tmp_path / "mine.toml", {provider.name: provider.settings}) == account


def test_what_can_be_tried_is_offered_as_a_comment() -> None:
    """Where webhooks can be registered by us the key is there to be switched on, and only there."""
    account = smartpay.sandbox().account("mine", "http://127.0.0.1:8080")
    assert "#" not in as_toml(account)
    assert tomllib.loads(offered(account).replace("# ", "", 1).replace("\n# ", "\n")) == {
        "manage_webhooks": True,
        "public_url": "http://127.0.0.1:8080",
    }
    assert offered(account.model_copy(update={"manage_webhooks": True})) == ""
    for provider in (subscriply, voucherry):
        assert offered(provider.sandbox().account("mine", "http://127.0.0.1:8080")) == ""


def test_every_kind_of_setting_is_written() -> None:
    """Secrets, lists, durations, days, numbers and text with quotes; what was not set is not."""
    account = OddSettings(
        name="odd",
        provider="odd",
        base_url="http://127.0.0.1:1",
        key=SecretStr('qu"ote\\ü\n'),
        old_keys=[SecretStr("a"), SecretStr("b")],
        since=date(2026, 1, 2),
        eager=True,
        calls=7,
        poll_interval=timedelta(seconds=90),
        note=None,
    )
    assert tomllib.loads(as_toml(account))["accounts"]["odd"] == {
        "provider": "odd",
        "base_url": "http://127.0.0.1:1",
        "key": 'qu"ote\\ü\n',
        "old_keys": ["a", "b"],
        "since": date(2026, 1, 2),
        "eager": True,
        "calls": 7,
        "poll_interval": "90s",
    }


def test_what_cannot_be_written_is_refused() -> None:
    """A setting of another kind is an error, not a wrong snippet."""

    class Strange(AccountSettings):
        table: dict[str, str]

    account = Strange(name="s", provider="s", base_url="http://127.0.0.1:1", table={})
    with pytest.raises(TypeError, match="dict"):
        as_toml(account)
