"""Watches as lines of a file: written, read again, and judged line by line."""

from datetime import UTC, datetime

import pytest

from config.account import AccountSettings
from handlers.provider import Watch
from receiver.accounts.providers import installed_providers
from receiver.accounts.registry import Accounts
from receiver.watches.transfer import KeptWatch, NotAnExport, RefusedLine, from_lines, to_lines

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
REQUEST = KeptWatch(Watch("cherries", "cherries_requests", "123"), NOW)
TRANSFER = KeptWatch(Watch("cherries", "cherries_transfers", "a-b"), None)


@pytest.fixture
def accounts() -> Accounts:
    """Return an account of each provider: shop, members and cherries."""
    providers = installed_providers()
    accounts = Accounts(providers)
    names = {"shop": "smartpay", "members": "subscriply", "cherries": "voucherry"}
    settings: dict[str, AccountSettings] = {
        name: providers[provider].sandbox().account(name, "http://127.0.0.1:9")
        for name, provider in names.items()
    }
    accounts.replace(settings)
    return accounts


def lines(*watches: KeptWatch) -> list[bytes]:
    """Return the lines of a file with these watches."""
    return [line.encode() for line in to_lines(watches, NOW)]


def test_a_file_says_what_it_is() -> None:
    """The form is a promise to those who keep such files."""
    assert lines(REQUEST, TRANSFER) == [
        b'{"payevents_watches":1,"exported_at":"2026-01-01T12:00:00Z","watches":2}',
        b'{"account":"cherries","kind":"cherries_requests","id":"123","since":"2026-01-01T12:00:00Z"}',
        b'{"account":"cherries","kind":"cherries_transfers","id":"a-b"}',
    ]


def test_what_was_written_is_read_again(accounts: Accounts) -> None:
    """Every watch comes back with the time when it began, and an empty file is a file."""
    assert from_lines(lines(REQUEST, TRANSFER), accounts) == ([REQUEST, TRANSFER], [])
    assert from_lines(lines(), accounts) == ([], [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "not JSON"),
        (b"[]", "object is expected"),
        (b'{"account":"cherries","kind":"cherries_requests"}', '"id" must be text'),
        (b'{"account":"nobody","kind":"cherries_requests","id":"1"}', "no account 'nobody'"),
        (b'{"account":"cherries","kind":"cherries_requests","id":"1/confirm"}', "not an id"),
        (b'{"account":"members","kind":"transactions","id":"1"}', "cannot be registered"),
        (b'{"account":"cherries","kind":"vouchers","id":"1"}', "none of"),
        (b'{"account":"cherries","kind":"cherries_requests","id":"1","since":1}', '"since"'),
        (b'{"account":"cherries","kind":"cherries_requests","id":"1","since":"now"}', "now"),
        (b'{"account":"cherries","kind":"cherries_requests","id":"1","state":"x"}', "unknown"),
    ],
)
def test_a_line_is_judged_as_a_registration_is(accounts: Accounts, line: bytes, why: str) -> None:
    """What the API would refuse is refused with its number, and the others are taken."""
    head, first, last = lines(REQUEST, TRANSFER)
    taken, refused = from_lines([head.replace(b":2}", b":3}"), first, line, last], accounts)
    assert taken == [REQUEST, TRANSFER]
    [wrong] = refused
    assert wrong.line == 3
    assert why in wrong.why


def test_a_file_that_was_cut_short_is_told(accounts: Accounts) -> None:
    """A full disk ends a file anywhere: what is there is taken, and what is missing is said."""
    taken, refused = from_lines(lines(REQUEST, TRANSFER)[:2], accounts)
    assert taken == [REQUEST]
    assert refused == [RefusedLine(1, "the file has 1 watches and its first line says 2")]


@pytest.mark.parametrize(
    "head", [b"", b"[]", b'{"account":"cherries"}', b'{"payevents_watches":2,"watches":0}']
)
def test_another_file_is_refused_as_a_whole(accounts: Accounts, head: bytes) -> None:
    """Neither another kind of file nor another version of the form is guessed at."""
    with pytest.raises(NotAnExport, match="payevents watches export"):
        from_lines([head, *lines(REQUEST)[1:]], accounts)
    with pytest.raises(NotAnExport):
        from_lines([], accounts)
