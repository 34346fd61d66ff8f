"""`payevents webhooks` and `doctor --account`: what they refuse, show, and end with."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from config.settings import Settings
from handlers.smartpay.topics import TOPICS
from receiver.care.orders import PlacedOrder
from receiver.care.reading import registration_key
from receiver.cli import ordering, subscriptions
from receiver.cli.app import app
from receiver.cli.ordering import Wanted
from receiver.polling.entry import WatchEntry
from receiver.registration.registered import Done, Listed, Made, Registered
from receiver.registration.signs import Failure, Order
from receiver.registration.vitals import TopicVitals, Vitals, vitals_key
from tests.kafka.ports import free_ports
from tests.support.configuration import service_config
from tests.unit.receiver.cli.reading import plain
from tests.unit.receiver.registration.shop import (
    ELSEWHERE,
    HOOK,
    NOW,
    PAID,
    PROVEN,
    PUBLIC_URL,
    with_topic,
    with_url,
)

OTHERS = """
manage_webhooks = true
[accounts.cherries]
provider = "voucherry"
base_url = "http://127.0.0.1:9/api/v1"
auth_token = "a token"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration with a public URL, whose Kafka nobody asks."""
    file = tmp_path / "payevents.toml"
    text = service_config("127.0.0.1:9", "", tmp_path, accounts=OTHERS)
    file.write_text(text.replace("[http]", f'[http]\npublic_url = "{PUBLIC_URL}"'))
    return file


def run(config: Path, *arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def shop(config: Path, command: str, *options: str) -> Result:
    """Run a command of the group for the account "shop"."""
    return run(config, "webhooks", command, "--account", "shop", *options)


Poller = Callable[..., list[Order]]


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> Poller:
    """Return what stands in for a poller that tells this of each order."""

    def telling(
        registered: Registered,
        problem: str | None = None,
        steps: int = 0,
        vitals: Vitals | None = None,
    ) -> list[Order]:
        orders: list[Order] = []

        def carried_out(
            _settings: Settings, _wanted: Wanted, order: Order, *, is_quiet: bool = True
        ) -> PlacedOrder:
            assert isinstance(is_quiet, bool)
            orders.append(order)
            placed = PlacedOrder(order)
            made = tuple(Made(order.asked_at + i, f"step {i}") for i in range(steps))
            outcome = Done(order.id, NOW, tuple(each.told for each in made), problem)
            known = replace(registered, done=(outcome,), made=made)
            entry = WatchEntry(0.0, 0.0, memory=known.encode())
            placed.take(registration_key("shop").encode(), entry.encode())
            placed.take(vitals_key("shop").encode(), (vitals or Vitals()).encode())
            return placed

        monkeypatch.setattr(subscriptions, "carried_out", carried_out)
        return orders

    return telling


@pytest.mark.parametrize("command", ["list", "ensure", "test"])
def test_accounts_without_webhooks_are_told(config: Path, command: str) -> None:
    """No such account, or a provider that calls nobody: one line, before Kafka is asked."""
    for account, why, code in (
        ("nobody", "there is no account 'nobody'; known are cherries, shop", 2),
        ("cherries", "voucherry calls no webhooks", 1),
    ):
        done = run(config, "webhooks", command, "--account", account)
        assert done.exit_code == code
        assert why in done.stderr
        assert done.stderr.count("\n") == 1


def test_what_cannot_be_registered_is_told(config: Path) -> None:
    """Without a public URL nothing can lead here; a topic must be one that there is."""
    misspelt = shop(config, "ensure", "--topic", "invoice/payed")
    assert misspelt.exit_code == 2
    assert "no such topic: invoice/payed; there are invoice/created" in plain(misspelt.stderr)
    unmanaged = config.read_text().replace("manage_webhooks = true", "")
    config.write_text(unmanaged.replace("public_url", "# public_url"))
    for command in ("ensure", "test"):
        done = shop(config, command)
        assert done.exit_code == 1
        assert done.stderr.startswith("error: http.public_url is not set")


def test_the_list_shows_ours_and_others(config: Path, poller: Poller) -> None:
    """Each wanted topic has its state, and what else there is is named as such."""
    others = (Listed("x1", "invoice/refunded", ELSEWHERE), Listed("x2", PAID, ELSEWHERE))
    registered = replace(PROVEN, listed=(*PROVEN.listed, *others), ours=(*PROVEN.ours, "x2"))
    [] = poller(registered)
    done = shop(config, "list")
    assert done.exit_code == 0
    rows = [line.split("  ") for line in done.stdout.splitlines()]
    states = {
        row[0].strip(): [cell.strip() for cell in row if cell.strip()][1] for row in rows[1:6]
    }
    assert states == dict.fromkeys(TOPICS, "proven")
    assert "another's" in done.stdout
    assert "ours, not wanted" in done.stdout
    assert done.stdout.endswith("as listed at 2026-01-01T11:59:00Z\n")
    told = json.loads(shop(config, "list", "--json").stdout)
    assert (told["complete"], told["problem"], told["url"]) == (True, None, HOOK)
    assert [topic["state"] for topic in told["topics"]] == ["proven"] * 5
    assert [other["id"] for other in told["others"]] == ["x1", "x2"]


def test_the_list_shows_the_failure_budget(config: Path, poller: Poller) -> None:
    """Of each wanted topic, as the status has it; of what is not ours nothing is known."""
    failures = tuple(Failure(PAID, 401, "signature", NOW + at, f"r{at}") for at in range(3))
    other = Listed("x1", "invoice/refunded", ELSEWHERE)
    registered = replace(PROVEN, listed=(*PROVEN.listed, other))
    poller(registered, vitals=Vitals({PAID: TopicVitals(failures=failures)}))
    lines = shop(config, "list").stdout.splitlines()
    budgets = {line.split()[0]: line.rstrip().rpartition("  ")[2] for line in lines[:7]}
    assert budgets == {
        "topic": "undeliverable",
        **dict.fromkeys(TOPICS, "at least 0 of 20"),
        PAID: "at least 3 of 20",
        "invoice/refunded": "-",
    }
    for command in ("list", "ensure", "test"):
        told = json.loads(shop(config, command, "--json").stdout)
        counted = {one["topic"]: one["undeliverable"]["at_least"] for one in told["topics"]}
        assert counted == {**dict.fromkeys(TOPICS, 0), PAID: 3}


def test_a_dry_run_shows_a_diff_and_orders_a_listing_alone(config: Path, poller: Poller) -> None:
    """The plan is shown with signs, and nothing but the list is asked of the poller."""
    orders = poller(with_url(PAID, None))
    done = shop(config, "ensure", "--dry-run")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert f"+ {PAID} -> {HOOK}  (it is not subscribed)" in lines
    assert lines[-1] == "would be done: 1; nothing was changed"
    assert sum(line.startswith("  ") for line in lines) == 4
    assert [order.what for order in orders] == ["list"]
    told = json.loads(shop(config, "ensure", "--dry-run", "--json").stdout)
    assert (told["dry_run"], told["changes"]) == (True, 1)
    assert told["plan"][-1]["sign"] == "+"


def test_a_dry_run_says_that_there_is_nothing_to_do(config: Path, poller: Poller) -> None:
    """Where all is as wanted, that is said, and the exit code is the same."""
    poller(PROVEN)
    done = shop(config, "ensure", "--dry-run")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "there is nothing to do; nothing was changed",
    )
    anew = shop(config, "ensure", "--dry-run", "--recreate", "--topic", PAID)
    assert [line[0] for line in anew.stdout.splitlines()[-3:-1]] == ["-", "+"]


def test_ensure_orders_what_was_asked_for(config: Path, poller: Poller) -> None:
    """The options travel with the order, and the outcome has every step."""
    orders = poller(PROVEN, steps=2)
    done = shop(config, "ensure", "--take-over", "--recreate", "--topic", PAID, "--json")
    assert done.exit_code == 0
    [order] = orders
    assert (order.what, order.take_over, order.recreate, order.topics) == (
        "ensure",
        True,
        True,
        (PAID,),
    )
    told = json.loads(done.stdout)
    assert told["steps"] == ["step 0", "step 1"]
    assert [topic["topic"] for topic in told["topics"]] == [PAID]
    assert "1 of 1 topics lead here" in shop(config, "ensure", "--topic", PAID).stdout


@pytest.mark.parametrize("command", ["ensure", "test"])
def test_what_stood_in_the_way_is_an_error(config: Path, poller: Poller, command: str) -> None:
    """A step that failed, or an arrival that never came, ends the command with 1 and its words."""
    poller(with_topic(PAID, proven_at=None), problem=f"{PAID}: nothing arrived")
    done = shop(config, command)
    assert done.exit_code == 1
    assert done.stderr == f"error: {PAID}: nothing arrived\n"
    assert done.stdout.splitlines()[-1] == "4 of 5 topics are proven"
    told = json.loads(shop(config, command, "--json").stdout)
    assert (told["complete"], told["problem"]) == (False, f"{PAID}: nothing arrived")


def test_an_order_that_nobody_takes_up_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a poller there is no list to show, and the command says where to look."""

    def nobody(_s: Settings, _w: Wanted, order: Order, **_: Any) -> PlacedOrder:
        return PlacedOrder(order)

    monkeypatch.setattr(subscriptions, "carried_out", nobody)
    for options in (["list"], ["ensure"], ["ensure", "--dry-run"], ["test"]):
        done = shop(config, *options)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "error: no running poller has taken it up" in done.stderr


def test_without_a_poller_the_list_is_what_was_recorded(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known is shown with its time, and then why it is no newer."""

    def nobody(_s: Settings, _w: Wanted, order: Order, **_: Any) -> PlacedOrder:
        placed = PlacedOrder(order)
        entry = WatchEntry(0.0, 0.0, memory=PROVEN.encode())
        placed.take(registration_key("shop").encode(), entry.encode())
        return placed

    monkeypatch.setattr(subscriptions, "carried_out", nobody)
    done = shop(config, "list")
    assert done.exit_code == 1
    assert done.stdout.endswith("as listed at 2026-01-01T11:59:00Z\n")
    assert done.stdout.count("proven  ") == 5
    assert done.stderr.startswith("error: no running poller has taken it up")
    assert shop(config, "ensure").stdout == ""


@pytest.mark.parametrize("command", ["list", "ensure", "test"])
def test_that_it_waits_is_told_at_once(
    config: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """People are told what is waited for before it is, and programs are not."""
    said: list[str] = []

    @asynccontextmanager
    async def placed(*_: object) -> AsyncIterator[None]:
        yield

    async def wait(*_: object, **__: object) -> None:
        said.append(sys.stderr.getvalue() if isinstance(sys.stderr, StringIO) else "")

    def at_once(_: Settings, work: Callable[[None], Coroutine[Any, Any, None]]) -> None:
        with redirect_stderr(StringIO()):
            asyncio.run(work(None))

    monkeypatch.setattr(ordering, "_placed", placed)
    monkeypatch.setattr(ordering, "wait", wait)
    monkeypatch.setattr(ordering, "run", at_once)
    for options in ([], ["--patience", "90s"], ["--json"]):
        shop(config, command, *options)
    assert said == [
        "waiting for a running poller (up to 2m) …\n",
        "waiting for a running poller (up to 90s) …\n",
        "",
    ]


def test_another_configuration_than_the_pollers_is_told(config: Path, poller: Poller) -> None:
    """The plan is made with the URL read here, and the poller works with its own."""
    poller(replace(PROVEN, url=ELSEWHERE))
    done = shop(config, "ensure", "--dry-run")
    assert f"warning: the running poller has another http.public_url: {ELSEWHERE}" in done.stderr


@pytest.fixture
def without_kafka(config: Path) -> Path:
    """Return the configuration with a Kafka and a public URL that nobody listens on."""
    kafka, public = free_ports(2)
    text = config.read_text().replace('127.0.0.1:9"\ntopic', f'127.0.0.1:{kafka}"\ntopic')
    config.write_text(text.replace(PUBLIC_URL, f"http://127.0.0.1:{public}"))
    return config


def test_the_doctor_says_what_it_could_not_know(without_kafka: Path) -> None:
    """With Kafka away the public URL is still asked, and the rest is named as unknown."""
    done = run(without_kafka, "doctor", "--account", "shop", "--json")
    assert done.exit_code == 1
    found = {f["subject"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["kafka"]["verdict"] == "wrong"
    assert "cannot be reached from here" in found["public url"]["told"]
    assert "what arrived from outside could not be read" in found["public url"]["told"]
    assert "credentials" in found["shop"]["told"]
    assert "registration" in found["shop"]["told"]


def test_the_doctor_asks_no_url_for_who_is_not_called(without_kafka: Path) -> None:
    """An account whose provider calls nobody needs no public URL."""
    done = run(without_kafka, "doctor", "--account", "cherries", "--json")
    subjects = [f["subject"] for f in json.loads(done.stdout)["findings"]]
    assert subjects == ["kafka", "cherries"]


def test_the_doctor_knows_the_accounts(config: Path) -> None:
    """A misspelt account is an error, and no finding."""
    done = run(config, "doctor", "--account", "shp")
    assert done.exit_code == 2
    assert done.stderr == "error: there is no account 'shp'; did you mean 'shop'?\n"
