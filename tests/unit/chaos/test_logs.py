"""What the replicas' logs tell of a run."""

import json
from collections import Counter

from tests.chaos.logs import summarise


def line(message: str, level: str = "info", **fields: str) -> str:
    """Return a line of a replica's log."""
    return json.dumps({"message": message, "level": level, "logger": "receiver", **fields})


def test_takeovers_are_counted() -> None:
    """What a run is about is counted under a name for readers."""
    summary = summarise([line("the shard runs"), line("the shard runs"), line("nothing")])
    assert summary.counts == Counter({"shards opened": 2})


def test_errors_are_counted_by_what_they_say() -> None:
    """Lines that differ by a port or an address alone are the same; an alarm goes by its code."""
    summary = summarise(
        [
            line("no way to node 1 at 0x7f00", "error"),
            line("no way to node 2 at 0x7f01", "error"),
            line("alarm", "error", code="spool-failed"),
        ]
    )
    assert summary.errors == Counter({"receiver: no way to node … at …": 2})
    assert summary.alarms == Counter({"spool-failed": 1})


def test_tracebacks_are_counted_by_their_last_line() -> None:
    """A traceback is worth a look whatever the level of its line."""
    summary = summarise([line("again", exception="Traceback:\n  somewhere\nKeyError: 'x'")])
    assert summary.tracebacks == Counter({"again: KeyError: 'x'": 1})


def test_who_was_refused_for_a_disk_that_hung_is_counted() -> None:
    """As the replica tells it; whoever was refused for anything else is not."""
    whys = ("Kafka is away; the disk has not written anything for 3 seconds", "no space is left")
    summary = summarise([line("a webhook is not durable", "warning", why=why) for why in whys])
    assert summary.disk_hung == 1


def test_what_is_no_log_line_is_counted_too() -> None:
    """A line that is not JSON was printed by nobody who should."""
    assert summarise(["Traceback (most recent call last):\n"]).strays.total() == 1
