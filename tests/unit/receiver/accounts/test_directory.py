"""Following `accounts_dir`: accounts come, change and go, and a broken file breaks nothing else."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from handlers.provider import Handler, Provider
from handlers.smartpay import provider as smartpay
from handlers.smartpay.settings import SmartPaySettings
from handlers.voucherry import provider as voucherry
from receiver.accounts.directory import REFUSED, UNREADABLE, AccountsDirectory
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms

PROVIDERS: Mapping[str, Provider] = {"voucherry": voucherry, "smartpay": smartpay}
INLINE = {"shop": SmartPaySettings(name="shop", api_key=SecretStr("the-shop's-key"))}


class Followed:
    """A folder, and the accounts that follow from it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
        self.accounts = Accounts(PROVIDERS)
        self.accounts.replace(INLINE)
        self._writes = 0
        self._follower = AccountsDirectory(
            directory,
            {name: provider.settings for name, provider in PROVIDERS.items()},
            INLINE,
            self.accounts,
            self.alarms,
            present={},
        )

    async def look(self) -> None:
        """Look at the folder once."""
        await self._follower.look()

    def write(self, name: str, text: str) -> None:
        """Write an account's file, with a time of its own, as writes apart in time have."""
        path = self.directory / f"{name}.toml"
        path.write_text(text)
        self._writes += 1
        os.utime(path, ns=(self._writes, self._writes))

    @property
    def names(self) -> list[str]:
        """The accounts at work."""
        return sorted(handler.account.name for handler in self.accounts)

    @property
    def alarmed(self) -> list[tuple[str, str]]:
        """The accounts and codes of the alarms."""
        return [(alarm.account, alarm.code) for alarm in self.alarms.present]

    def handler(self, name: str) -> Handler:
        """Return the handler of an account that there must be."""
        handler = self.accounts.get(name)
        assert handler is not None
        return handler


def cherries(token: str) -> str:
    """Return the file of a Voucherry account."""
    return f'provider = "voucherry"\nauth_token = "{token}"\n'


def merchant(key: str) -> str:
    """Return the file of a SmartPay account."""
    return f'provider = "smartpay"\napi_key = "{key}"\n'


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """Return an empty folder that is followed."""
    directory = tmp_path / "accounts"
    directory.mkdir()
    return Followed(directory)


async def test_accounts_come_change_and_go(followed: Followed) -> None:
    """A file more is an account more, beside those of the main file; and back."""
    followed.write("a", cherries("one"))
    followed.write("b", cherries("two"))
    await followed.look()
    assert followed.names == ["a", "b", "shop"]
    handlers = {name: followed.handler(name) for name in followed.names}
    followed.write("a", cherries("another"))
    (followed.directory / "b.toml").unlink()
    await followed.look()
    assert followed.names == ["a", "shop"]
    assert followed.handler("a") is not handlers["a"]
    assert followed.handler("shop") is handlers["shop"]
    assert followed.alarmed == []


async def test_an_unchanged_folder_changes_nothing(followed: Followed) -> None:
    """Looking again costs a stat of each file: nothing is read, and no handler replaced."""
    followed.write("a", cherries("one"))
    await followed.look()
    generation = followed.accounts.generation
    path = followed.directory / "a.toml"
    before = path.stat()
    path.write_text(cherries("two"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    await followed.look()
    assert followed.accounts.generation == generation


async def test_a_secret_in_a_file_of_its_own_is_followed_too(
    followed: Followed, tmp_path: Path
) -> None:
    """A rotated secret is taken up although the account's own file did not change."""
    secret = tmp_path / "token"
    secret.write_text("one")
    followed.write("a", f'provider = "voucherry"\nauth_token_file = "{secret}"\n')
    await followed.look()
    before = followed.handler("a")
    secret.write_text("two")
    for _ in range(12):
        await followed.look()
    assert followed.handler("a") is not before


async def test_a_broken_file_keeps_its_last_good_settings(followed: Followed) -> None:
    """An account goes on when its file turns unusable, with an alarm until it is mended."""
    followed.write("a", cherries("one"))
    await followed.look()
    before = followed.handler("a")
    followed.write("a", "provider = ")
    followed.write("new", "provider = ")
    followed.write("z", cherries("two"))
    await followed.look()
    assert followed.names == ["a", "shop", "z"]
    assert followed.handler("a") is before
    assert followed.alarmed == [("a", REFUSED), ("new", REFUSED)]
    followed.write("a", cherries("mended"))
    (followed.directory / "new.toml").unlink()
    await followed.look()
    assert followed.handler("a") is not before
    assert followed.alarmed == []


async def test_a_removed_file_ends_its_account_and_its_alarm(followed: Followed) -> None:
    """What was kept for a broken file goes when the file goes."""
    followed.write("a", cherries("one"))
    await followed.look()
    followed.write("a", "provider = ")
    await followed.look()
    (followed.directory / "a.toml").unlink()
    await followed.look()
    assert followed.names == ["shop"]
    assert followed.alarmed == []


async def test_an_account_of_the_main_file_cannot_be_replaced(followed: Followed) -> None:
    """A file with the name of an inline account is refused, and that account goes on."""
    followed.write("shop", cherries("one"))
    await followed.look()
    assert isinstance(followed.handler("shop").account, SmartPaySettings)
    assert followed.alarmed == [("shop", REFUSED)]


async def test_no_two_accounts_come_to_share_a_key(followed: Followed) -> None:
    """A kept account whose key has become another's is dropped: a body would count at both."""
    followed.write("b", merchant("the key"))
    await followed.look()
    followed.write("a", merchant("the key"))
    followed.write("b", "provider = ")
    await followed.look()
    assert followed.names == ["a", "shop"]


async def test_an_unreadable_folder_keeps_all_accounts(followed: Followed) -> None:
    """A folder that is away for a moment, as a mount can be, ends no account."""
    followed.write("a", cherries("one"))
    await followed.look()
    hidden = followed.directory.rename(followed.directory.with_name("away"))
    await followed.look()
    assert followed.names == ["a", "shop"]
    assert followed.alarmed == [("", UNREADABLE)]
    hidden.rename(followed.directory)
    await followed.look()
    assert followed.names == ["a", "shop"]
    assert followed.alarmed == []
