"""Where the entries of ledger and watchlist belong."""

from datetime import UTC, datetime

import pytest

from config.settings import Settings
from handlers.clock import rfc3339
from handlers.resource import ResourceKey
from receiver.pairs import ledger_home, pairs, watchlist_home
from receiver.roles import Role
from receiver.routing.expiry import HORIZON_KEY
from receiver.routing.letters import Refusal, count_key, write
from receiver.shards.repartition.plan import merged
from receiver.watches.requests import StartWatch, partition_key, to_record

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("test", [True, False])
def test_a_resource_is_at_home_with_its_observations(test: bool) -> None:
    """Test data are found in the partition of the live ones: the inbox does not tell them apart."""
    resource = ResourceKey("smartpay", "shop", "invoice", "a/b", test=test)
    assert ledger_home(resource.partition_key.encode(), b"") == resource.inbox_key.encode()


@pytest.mark.parametrize("inbox_key", [b"smartpay/shop/invoice/1", None])
def test_a_letters_count_is_at_home_with_its_observation(inbox_key: bytes | None) -> None:
    """However often it was counted; without a key it may stay where it is."""
    counted = None
    for _ in range(2):
        _, counted = write(
            Refusal("letter", "bad-field", ""),
            inbox_key=inbox_key,
            value=b"{}",
            headers=[],
            position="0/0",
            counted=counted,
            now=NOW,
        )
        assert ledger_home(count_key("letter"), counted) == inbox_key


def test_a_watch_is_at_home_with_its_account() -> None:
    """Whatever its kind and id are."""
    record = to_record(StartWatch("cherries", "cherries_requests", "a/b"))
    assert watchlist_home(record.key, b"") == partition_key("cherries")


def test_what_one_partition_has_forgotten_no_other_takes_for_news() -> None:
    """The horizons of the ledger's partitions become the latest of them."""
    pair = pairs(Settings())[Role.ROUTE]
    early, late = (rfc3339(datetime(year, 1, 1, tzinfo=UTC)).encode() for year in (2024, 2025))
    tables = [{HORIZON_KEY: early}, {HORIZON_KEY: late}, {}]
    assert merged(pair, tables) == {HORIZON_KEY: late}
    assert ledger_home(HORIZON_KEY, late) is None
