"""The pairs of input and table, and where each table's entries belong."""

from config.settings import Settings
from handlers.clock import from_rfc3339
from handlers.resource import inbox_key_of
from receiver.polling.watchlist import parse_key
from receiver.roles import Role
from receiver.routing.expiry import HORIZON_KEY
from receiver.routing.letters import counted_at
from receiver.shards.guards import ShardSpec
from receiver.shards.repartition.plan import Pair
from receiver.watches.requests import partition_key

_OF_THE_LEDGER = b"\x00"
"""What the keys begin with that name no resource."""


def pairs(settings: Settings) -> dict[Role, Pair]:
    """Return the pair of each role that works in shards."""
    topics = settings.topics
    return {
        Role.ROUTE: Pair(
            _spec(settings, Role.ROUTE, topics.inbox, topics.ledger),
            ledger_home,
            # What an old partition has forgotten, a new one must not take for news.
            {HORIZON_KEY: later_horizon},
        ),
        Role.POLL: Pair(
            _spec(settings, Role.POLL, topics.watch_requests, topics.watchlist), watchlist_home
        ),
    }


def ledger_home(key: bytes, value: bytes) -> bytes | None:
    """Return the inbox key by which an entry of the ledger is found, None where any will do."""
    if key.startswith(_OF_THE_LEDGER):
        # Without an inbox key it counts what others wrote, and that cannot come again.
        return counted_at(key, value) or None
    return inbox_key_of(key.decode()).encode()


def later_horizon(one: bytes, other: bytes) -> bytes:
    """Return the later of two horizons of the ledger."""
    return max(one, other, key=lambda horizon: from_rfc3339(horizon.decode()))


def watchlist_home(key: bytes, value: bytes) -> bytes:  # noqa: ARG001 - a table's home takes both
    """Return the partition key of a watch."""
    return partition_key(parse_key(key.decode()).account)


def _spec(settings: Settings, role: Role, input_topic: str, table_topic: str) -> ShardSpec:
    kafka = settings.kafka
    return ShardSpec(role.value, kafka.application, input_topic, table_topic, kafka.partitions)
