"""One status of several workers."""

from typing import Any

from receiver.workers.status import combined
from receiver.workers.worker import State
from tests.unit.receiver.workers.fakes import PID, as_it_is


def status(**parts: Any) -> dict[str, Any]:
    """Return what a worker shows, with nothing in it but ``parts``."""
    return {
        "started_at": "2026-01-01T00:00:00Z",
        "accounts": [],
        "shards": [],
        "inbox": {"available": True, "problem": ""},
        "spool": None,
        "alarms": [],
        **parts,
    }


def account(name: str, **more: object) -> dict[str, Any]:
    """Return an account as a worker shows it."""
    return {"name": name, "provider": "smartpay", "from_accounts_dir": False, **more}


def shard(role: str, partition: int) -> dict[str, Any]:
    """Return a shard as a worker shows it."""
    return {"role": role, "partition": partition, "state": "running", "lag": 0, "problem": ""}


def alarm(code: str, since: str) -> dict[str, Any]:
    """Return an alarm as a worker shows it."""
    return {"account": "", "code": code, "why": "", "what_to_do": "", "since": since}


def test_an_account_is_told_once_with_the_care_of_its_owner() -> None:
    """All workers know all accounts; the one that polls it alone knows how it fares."""
    told = {
        0: status(accounts=[account("a"), account("b", care={"url": None}, polling={"calls": 1})]),
        1: status(accounts=[account("a", care={"url": "https://x"}), account("b")]),
    }
    assert combined([], told, [])["accounts"] == [
        account("a", care={"url": "https://x"}, worker=1),
        account("b", care={"url": None}, polling={"calls": 1}, worker=0),
    ]


def test_shards_of_all_workers_stand_in_order() -> None:
    """Each says whose it is."""
    told = {
        0: status(shards=[shard("poll", 1), shard("route", 0)]),
        1: status(shards=[shard("poll", 0)]),
    }
    assert combined([], told, [])["shards"] == [
        {**shard("poll", 0), "worker": 1},
        {**shard("poll", 1), "worker": 0},
        {**shard("route", 0), "worker": 0},
    ]


def test_alarms_of_all_are_told_the_oldest_first() -> None:
    """The supervisor's own are of no worker."""
    told = {
        0: status(alarms=[alarm("kafka-away", "2026-01-01T00:00:03Z")]),
        1: status(alarms=[alarm("kafka-away", "2026-01-01T00:00:01Z")]),
    }
    own = alarm("worker-2-down", "2026-01-01T00:00:02Z")
    found = combined([], told, [own])["alarms"]
    assert found == [
        {**alarm("kafka-away", "2026-01-01T00:00:01Z"), "worker": 1},
        own,
        {**alarm("kafka-away", "2026-01-01T00:00:03Z"), "worker": 0},
    ]


def test_the_inbox_takes_records_if_all_workers_find_so() -> None:
    """Whose records it does not take is said."""
    told = {0: status(), 1: status(inbox={"available": False, "problem": "Kafka is away"})}
    assert combined([], told, [])["inbox"] == {
        "available": False,
        "problem": "worker 1: Kafka is away",
    }


def test_where_no_worker_tells_anything_nobody_takes_records() -> None:
    """As far as anyone can say."""
    assert combined([], {}, [])["inbox"] == {"available": False, "problem": ""}


def test_what_waits_on_disk_is_added_up() -> None:
    """Each worker has a spool of its own; without any receiver there is none."""
    spool = {"available": True, "problem": "", "observations": 2, "bytes": 300, "max_bytes": 1_000}
    full = {**spool, "available": False, "problem": "it is full"}
    told = {0: status(spool=spool), 1: status(spool=full), 2: status(spool=full)}
    assert combined([], told, [])["spool"] == {
        "available": False,
        "problem": "it is full",
        "observations": 6,
        "bytes": 900,
        "max_bytes": 3_000,
    }
    assert combined([], {0: status()}, [])["spool"] is None


def test_workers_are_listed_whether_they_answer_or_not() -> None:
    """One that is down is there with the reason."""
    workers = [as_it_is(0), as_it_is(1, State.WAITING, "it ended with 1")]
    found = combined(workers, {0: status()}, [])["workers"]
    assert found == [
        {
            "worker": 0,
            "state": "serving",
            "why": "",
            "pid": PID,
            "restarts": 0,
            "started_at": "2026-01-01T00:00:00Z",
        },
        {
            "worker": 1,
            "state": "waiting",
            "why": "it ended with 1",
            "pid": None,
            "restarts": 0,
            "started_at": None,
        },
    ]
