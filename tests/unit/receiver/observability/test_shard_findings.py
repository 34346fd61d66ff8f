"""The doctor about the tables of shards: a repartition that is missing, or was not finished."""

import pytest

from receiver.observability.findings import Verdict
from receiver.observability.shard_findings import judge
from receiver.shards.table import InputPosition

OLD, NEW = InputPosition(7, 4, 4), InputPosition(7, 12, 12)
MARKED = InputPosition(7, 4, 4, moving_to=12)


@pytest.mark.parametrize("positions", [[], [NEW], [NEW, NEW]])
def test_a_table_that_fits_is_no_finding(positions: list[InputPosition]) -> None:
    """A partition that was never worked on fits everywhere."""
    assert judge("ledger", 12, positions, 12) == []


@pytest.mark.parametrize("partitions", [4, 12])
@pytest.mark.parametrize("positions", [[MARKED], [NEW, MARKED], [OLD, MARKED]])
def test_an_unfinished_repartition_is_wrong(
    positions: list[InputPosition], partitions: int
) -> None:
    """No shard works until it has come to its end, however far it came."""
    [finding] = judge("ledger", partitions, positions, 12)
    assert finding.verdict is Verdict.WRONG
    assert "ledger: a repartition to 12" in finding.told
    assert finding.remedy == "run 'payevents topics repartition' again"


def test_an_unfinished_repartition_ends_at_the_number_it_began_with() -> None:
    """It refuses to move to any other, so the setting comes first."""
    [finding] = judge("ledger", 12, [MARKED], 8)
    assert finding.remedy == (
        "set kafka.partitions to 12 and run 'payevents topics repartition' again"
    )


def test_a_table_that_was_enlarged_by_hand_is_wrong() -> None:
    """Topics and setting agree then, and only the positions tell."""
    [finding] = judge("ledger", 12, [OLD], 12)
    assert finding.verdict is Verdict.WRONG
    assert "written with 4 partitions and now has 12" in finding.told
    assert "payevents topics repartition" in finding.remedy
