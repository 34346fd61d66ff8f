"""What the doctor finds in the tables of shards: whether their entries are where they belong."""

from collections.abc import Collection

import msgspec
from aiokafka.errors import KafkaError

from config.settings import Settings
from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.observability.findings import Finding, Verdict
from receiver.pairs import pairs
from receiver.shards.positions import latest_positions
from receiver.shards.table import InputPosition

_COMMAND = "'payevents topics repartition'"


async def examine_shards(settings: Settings, clients: Clients) -> list[Finding]:
    """Return what the positions in the tables say about repartitions; the topics must exist."""
    found = []
    try:
        for pair in pairs(settings).values():
            table = pair.spec.table_topic
            partitions = await partitions_of(clients, [table])
            async with started_consumer(clients) as consumer:
                positions = (await latest_positions(consumer, partitions)).values()
            found += judge(table, len(partitions), positions, settings.kafka.partitions)
    except (KafkaError, TimeoutError, msgspec.MsgspecError) as error:
        told = f"the tables could not be read: {error!r}"
        found.append(Finding("shards", Verdict.WARNING, told))
    return found


def judge(
    table: str, partitions: int, positions: Collection[InputPosition], wanted: int
) -> list[Finding]:
    """Return what is wrong with a table that has so many ``partitions`` and these positions.

    ``wanted`` is ``kafka.partitions``, which a repartition moves to.
    """
    targets = {position.moving_to for position in positions if position.moving_to is not None}
    if targets:
        target = max(targets)
        told = f"{table}: a repartition to {target} was not finished, or is under way"
        first = "" if target == wanted else f"set kafka.partitions to {target} and "
        return [Finding("shards", Verdict.WRONG, told, f"{first}run {_COMMAND} again")]
    written = {position.table_partitions for position in positions} - {partitions}
    if written:
        told = f"{table} was written with {min(written)} partitions and now has {partitions}"
        remedy = f"run {_COMMAND} with all routers and pollers stopped"
        return [Finding("shards", Verdict.WRONG, told, remedy)]
    return []
