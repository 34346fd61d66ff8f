"""What Prometheus is told about the spool."""

from datetime import UTC, datetime
from pathlib import Path

from receiver.observability.alarms import Alarms
from receiver.spool.metrics import SpoolCollector
from receiver.spool.spool import Spool

LIMIT = 1 << 24


def test_the_spool_is_measured_against_its_limit(tmp_path: Path) -> None:
    """Whoever watches it need not know the configuration to see how full it is."""
    spool = Spool(tmp_path, LIMIT, Alarms(lambda: datetime(2026, 11, 22, tzinfo=UTC)))
    values = {m.name: m.samples[0].value for m in SpoolCollector(spool, LIMIT).collect()}
    assert values["payevents_spool_max_bytes"] == LIMIT
    assert values["payevents_spool_bytes"] == spool.bytes
