"""The operator's side against Apache Kafka: the life of the process, its admin API, its command."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.ports import free_ports
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import invoice, post

CHERRIES = """
[accounts.cherries]
provider = "voucherry"
base_url = "http://127.0.0.1:9/api/v1"
auth_token = "a-token-of-the-tests"
"""
WITHIN = 60.0
TRY_EVERY = 0.1


@pytest.fixture
def settings(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration whose topics do not exist."""
    servers = kafka_cluster.bootstrap_servers
    return service_config(servers, topic_prefix, tmp_path, accounts=CHERRIES)


@pytest.fixture
def config(settings: str, tmp_path: Path) -> Path:
    """Return its file."""
    file = tmp_path / "command.toml"
    file.write_text(settings)
    return file


@pytest.fixture
def service(settings: str, config: Path, tmp_path: Path) -> Iterator[Payevents]:
    """Return the running service, with its topics made."""
    command(config, "topics", "create")
    with Payevents(settings, tmp_path) as running:
        yield running


@pytest.fixture
def without_kafka(tmp_path: Path) -> Iterator[Payevents]:
    """Return the service, running while nobody answers at its Kafka's address."""
    [port] = free_ports(1)
    with Payevents(service_config(f"127.0.0.1:{port}", "", tmp_path), tmp_path) as running:
        yield running


def command(config: Path, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, which must be with the exit code ``expect``."""
    done = subprocess.run(
        [COMMAND, *arguments, "--config", config],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


async def ask(url: str, method: str = "GET", **options: Any) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of one request."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as answer,
    ):
        return answer.status, await answer.json()


async def eventually(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Look again and again until it is so; fail when that takes too long."""
    deadline = time.monotonic() + WITHIN
    while not await look():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(TRY_EVERY)


async def until_it_is(service: Payevents, state: str) -> dict[str, Any]:
    """Return the readiness once the process as a whole is ``ok``, ``degraded`` or ``failed``."""
    last: dict[str, Any] = {}

    async def as_wished() -> bool:
        nonlocal last
        status, last = await ask(f"{service.admin}/readyz")
        assert last["ready"] == (status == 200)
        return bool(last["state"] == state)

    await eventually(as_wished, f"never became {state}: {last}")
    return last


async def watch_keys(service: Payevents) -> list[str]:
    """Return the keys of the watches."""
    _, found = await ask(f"{service.admin}/v1/watches", params={"account": "cherries"})
    return [watch["key"] for watch in found["watches"]]


async def test_sigterm_ends_with_zero_after_the_drain(
    settings: str, config: Path, tmp_path: Path
) -> None:
    """On SIGTERM it turns unready, still answers 200 while it drains, and ends with 0."""
    command(config, "topics", "create")
    slow = settings.replace('drain_delay = "0s"', 'drain_delay = "3s"')
    with Payevents(slow, tmp_path) as service:
        await until_it_is(service, "ok")
        ending = asyncio.create_task(asyncio.to_thread(service.terminate))
        await asyncio.to_thread(service.await_line, "draining")
        status, report = await ask(f"{service.admin}/readyz")
        assert (status, report["ready"]) == (503, False)
        assert report["parts"]["process"]["state"] == "failed"
        assert await post(f"{service.webhooks}/shop", invoice("late")) == 200
        assert await ending == 0


async def test_without_kafka_it_receives_and_ends_with_zero(without_kafka: Payevents) -> None:
    """With Kafka away it takes webhooks into the spool, says so, and ends with 0 in 30 seconds."""
    assert await post(f"{without_kafka.webhooks}/shop", invoice("i1")) == 200
    report = await until_it_is(without_kafka, "degraded")
    assert report["state"] == "degraded"
    assert "kept in the spool" in report["parts"]["receive"]["why"]
    status, _ = await ask(f"{without_kafka.admin}/v1/watches")
    assert status == 503
    assert await asyncio.to_thread(without_kafka.terminate, 30.0) == 0


async def test_kafka_lost_under_way_is_noticed_and_the_end_is_still_zero(tmp_path: Path) -> None:
    """A process at work whose Kafka dies turns unready, also when idle, and ends with 0."""
    with Cluster() as cluster:
        text = service_config(cluster.bootstrap_servers, "", tmp_path)
        with Payevents(text, tmp_path) as service:
            await asyncio.to_thread(command, service.config, "topics", "create")
            await asyncio.to_thread(service.await_line, "the shard runs")
            await until_it_is(service, "ok")
            cluster.kill(0)
            await until_it_is(service, "degraded")
            assert await asyncio.to_thread(service.terminate, 30.0) == 0


async def test_a_second_signal_ends_at_once(settings: str, tmp_path: Path) -> None:
    """Whoever sends a second signal does not wait for the drain."""
    slow = settings.replace('drain_delay = "0s"', 'drain_delay = "20s"')
    with Payevents(slow, tmp_path) as service:
        service.interrupt()
        await asyncio.to_thread(service.await_line, "draining")
        assert await asyncio.to_thread(service.terminate, 5.0) == 1


async def test_missing_topics_are_named_and_taken_up_as_they_come(
    settings: str, config: Path, tmp_path: Path
) -> None:
    """It starts without topics, says what to do, and works as soon as they are made."""
    with Payevents(settings, tmp_path) as service:
        line = await asyncio.to_thread(service.await_line, "topics are missing")
        assert "payevents topics create" in line["what_to_do"]
        report = await until_it_is(service, "degraded")
        assert "payevents topics create" in report["parts"]["topics"]["why"]
        await asyncio.to_thread(command, config, "topics", "create")
        await asyncio.to_thread(service.await_line, "the shard runs")
        await until_it_is(service, "ok")

        async def accepted() -> bool:
            return await post(f"{service.webhooks}/shop", invoice("i1")) == 200

        await eventually(accepted, "no webhook was accepted")
        done = await asyncio.to_thread(
            command, config, "tail", "--from-beginning", "--count", "1", "--json"
        )
        assert json.loads(done.stdout)["subject"] == "invoice/i1"


async def test_a_watch_is_registered_listed_and_removed(service: Payevents) -> None:
    """What was answered 202 is listed with its state, and is gone once it was deleted."""
    url = f"{service.admin}/v1/watches"
    wanted = {"account": "cherries", "kind": "cherries_requests", "id": "123"}
    key = "cherries/cherries_requests/123"
    await until_it_is(service, "ok")
    assert await ask(url, "POST", json=wanted) == (202, {"key": key})
    assert await ask(url, "POST", json=wanted) == (202, {"key": key})

    async def failing() -> bool:
        _, found = await ask(url, params={"account": "cherries"})
        return any(watch["error"] for watch in found["watches"])

    await eventually(failing, "the watch was never polled")
    _, found = await ask(url, params={"account": "cherries"})
    [watch] = found["watches"]
    assert watch | {"error": "", "last_polled_at": "", "next_poll_at": ""} == {
        "key": key,
        **wanted,
        "status": None,
        "state": "active",
        "last_polled_at": "",
        "next_poll_at": "",
        "error": "",
    }
    assert watch["next_poll_at"].endswith("Z")
    assert await ask(f"{service.admin}/v1/watches/{key}", "DELETE") == (202, {"key": key})

    async def gone() -> bool:
        return not await watch_keys(service)

    await eventually(gone, "the watch was never removed")
    status, refused = await ask(f"{service.admin}/v1/watches/{key}", "DELETE")
    assert (status, refused["error"]["code"]) == (404, "unknown-watch")


async def test_the_command_registers_watches_too(service: Payevents) -> None:
    """`watches add`, `list` and `remove` reach the poller through Kafka alone."""
    config = service.config
    key = "cherries/cherries_transfers/9"
    run = ("cherries", "cherries_transfers", "9")
    listing = ("watches", "list", "--account", "cherries", "--json")
    done = await asyncio.to_thread(command, config, "watches", "add", *run, "--json")
    assert json.loads(done.stdout) == {"key": key}

    async def listed() -> bool:
        told = await asyncio.to_thread(command, config, *listing)
        return [watch["key"] for watch in json.loads(told.stdout)["watches"]] == [key]

    await eventually(listed, "the watch was never listed")
    await asyncio.to_thread(command, config, "watches", "remove", *run)

    async def gone() -> bool:
        return not await watch_keys(service)

    await eventually(gone, "the watch was never removed")
    refused = await asyncio.to_thread(command, config, "watches", "remove", *run, expect=1)
    assert refused.stderr.count("\n") == 1


def test_topics_are_made_once_and_compared(config: Path) -> None:
    """`topics create` is idempotent, and `topics list` shows what differs from the settings."""
    made = json.loads(command(config, "topics", "create", "--json").stdout)["created"]
    again = json.loads(command(config, "topics", "create", "--json").stdout)
    assert (again["created"], sorted(again["there"])) == ([], sorted(made))
    config.write_text(config.read_text().replace("partitions = 4", "partitions = 8"))
    told = json.loads(command(config, "topics", "list", "--json").stdout)["topics"]
    assert [topic["differences"] for topic in told] == [["partitions: 4, wanted 8"]] * len(made)


def test_the_doctor_finds_what_is_missing(config: Path) -> None:
    """The doctor ends with 1 while topics are missing, and with 0 once they are made."""
    sick = json.loads(command(config, "doctor", "--json", expect=1).stdout)
    [wrong] = [finding for finding in sick["findings"] if finding["verdict"] == "wrong"]
    assert (wrong["subject"], wrong["remedy"]) == ("topics", "run 'payevents topics create'")
    command(config, "topics", "create")
    well = json.loads(command(config, "doctor", "--json").stdout)
    assert well["ok"]


def test_a_weak_topic_is_wrong_for_the_doctor(kafka_three: Cluster, tmp_path: Path) -> None:
    """With three replicas and one in-sync replica asked for, a 200 would promise too much."""
    file = tmp_path / "weak.toml"
    text = service_config(kafka_three.bootstrap_servers, "weak.", tmp_path, replication_factor=3)
    file.write_text(text.replace("[kafka]", "[kafka]\nmin_insync_replicas = 1"))
    command(file, "topics", "create")
    told = command(file, "doctor", expect=1).stdout
    assert "min.insync.replicas is 1 with 3 replicas" in told
    assert "set min.insync.replicas of the topic to 2" in told


async def test_an_account_of_accounts_dir_works_without_a_restart(
    settings: str, config: Path, tmp_path: Path
) -> None:
    """A file put into the folder is an account whose webhooks are taken, until the file goes."""
    folder = tmp_path / "accounts"
    folder.mkdir()
    text = f'accounts_dir = "{folder}"\naccounts_dir_interval = "1s"\n{settings}'
    await asyncio.to_thread(command, config, "topics", "create")
    with Payevents(text, tmp_path) as service:
        await until_it_is(service, "ok")
        assert await post(f"{service.webhooks}/other", invoice("i1"), key="its key") == 404
        (folder / "other.toml").write_text('provider = "smartpay"\napi_key = "its key"\n')

        async def taken(status: int) -> bool:
            return await post(f"{service.webhooks}/other", invoice("i1"), key="its key") == status

        await eventually(lambda: taken(200), "the account never came")
        (folder / "other.toml").unlink()
        await eventually(lambda: taken(404), "the account never went")


def test_ctrl_c_ends_tail_well(service: Payevents) -> None:
    """Following ends by Ctrl-C, which is no failure."""
    with subprocess.Popen(
        [COMMAND, "tail", "--config", service.config], stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline().startswith("TIME")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(10) == 0
