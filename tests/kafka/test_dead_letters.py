"""Dead letters against Apache Kafka: found, shown, tried again, and what becomes of them."""

import asyncio
import base64
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.fact import Fact
from handlers.resource import ResourceKey
from tests.kafka.cluster import Cluster
from tests.kafka.reader import read_committed
from tests.kafka.test_operator import ask, command, eventually, until_it_is
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import Webhook, invoice, post

OTHER_KEY = "the key of the other account"
OTHER = f"""
[accounts.other]
provider = "smartpay"
api_key = "{OTHER_KEY}"
base_url = "http://127.0.0.1:9"
"""
PAID = {"topic": "invoice/paid", "date_paid": "2018-01-01 12:00:00"}
NONSENSE = b"\xff\x1b[2J not json\r\n"


@pytest.fixture
def settings(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration without the account ``other``; its topics exist."""
    text = service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
    file = tmp_path / "topics.toml"
    file.write_text(text)
    command(file, "topics", "create")
    return text


@pytest.fixture
def service(settings: str, tmp_path: Path) -> Iterator[Payevents]:
    """Return the running service."""
    with Payevents(settings, tmp_path) as running:
        yield running


async def run(config: Path, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """Return the JSON that ``payevents dead-letters`` prints."""
    done = await asyncio.to_thread(
        command, config, "dead-letters", *arguments, "--json", expect=expect
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def until_there_are(config: Path, count: int) -> list[dict[str, Any]]:
    """Return the letters once there are so many."""
    letters: list[dict[str, Any]] = []

    async def counted() -> bool:
        nonlocal letters
        letters = (await run(config, "list"))["dead_letters"]
        return len(letters) == count

    await eventually(counted, f"there were never {count} letters: {letters}")
    return letters


async def test_a_dead_letter_is_shown_with_its_exact_bytes(service: Payevents) -> None:
    """It is listed without its body, and shown with its bytes, its headers and what to do."""
    await until_it_is(service, "ok")
    assert await post(f"{service.webhooks}/shop", Webhook("invoice/created", NONSENSE)) == 200
    [letter] = await until_there_are(service.config, 1)
    assert letter["reason"] == "not-json"
    assert "body" not in letter
    show = ("dead-letters", "show", letter["id"])
    told = await asyncio.to_thread(command, service.config, *show)
    assert "\x1b" not in told.stdout
    assert "what to do: show it to the provider" in told.stdout
    data = await run(service.config, *show[1:])
    assert (data["body"], base64.b64decode(data["body_base64"])) == (None, NONSENSE)
    assert ["payevents-topic", "invoice/created"] in data["headers"]
    raw = await asyncio.to_thread(
        subprocess.check_output, [COMMAND, *show, "--raw", "--config", service.config]
    )
    assert raw == NONSENSE


async def test_what_fails_again_stays_one_letter_and_says_so(service: Payevents) -> None:
    """The command waits for the outcome, tells the reason and ends with 1; the count goes up."""
    await until_it_is(service, "ok")
    assert await post(f"{service.webhooks}/shop", Webhook("invoice/created", NONSENSE)) == 200
    [letter] = await until_there_are(service.config, 1)
    outcome = await run(service.config, "redrive", "--all", expect=1)
    [failed] = outcome["outcomes"]
    assert (failed["state"], failed["reason"]) == ("failed", "not-json")
    assert failed["letter"] == failed["id"] == letter["id"]
    told = await asyncio.to_thread(
        command, service.config, "dead-letters", "redrive", letter["id"], expect=1
    )
    assert "1 failed again" in told.stdout
    [again] = await until_there_are(service.config, 1)
    assert (again["id"], again["count"]) == (letter["id"], 3)
    unknown = await run(service.config, "redrive", "unknown", expect=1)
    assert unknown["refused"] == {"unknown": "there is no such letter"}


async def test_what_works_now_gives_the_events_it_would_have_given(
    settings: str, tmp_path: Path, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Letters of an account that was missing: redriven, twice and at once, each event is once."""
    servers = kafka_cluster.bootstrap_servers
    with Payevents(settings + OTHER, tmp_path, "receive", "--roles", "receive") as receiver:
        with Payevents(settings, tmp_path, "without", "--roles", "route"):
            url = f"{receiver.webhooks}/other"
            for webhook in (invoice("i1"), invoice("i2", **PAID), Webhook("x", NONSENSE)):
                assert await post(url, webhook, key=OTHER_KEY) == 200
            letters = await until_there_are(receiver.config, 3)
        assert {letter["reason"] for letter in letters} == {"unknown-account"}
        config, ids = receiver.config, [letter["id"] for letter in letters]
        # No router runs until both have sent all: else the later one may find fewer letters.
        both = asyncio.create_task(redriven_twice_and_at_once(config, ids))
        inbox, sent = [f"{topic_prefix}payevents.inbox"], 3 * len(ids)
        await asyncio.to_thread(read_committed, servers, inbox, until=lambda at: len(at) >= sent)
        with Payevents(settings + OTHER, tmp_path, "with", "--roles", "route") as router:
            await both
            outcome = await run(router.config, "redrive", "--reason", "not-json", expect=1)
            assert [failed["state"] for failed in outcome["outcomes"]] == ["failed"]
            [left] = (await run(router.config, "list"))["dead_letters"]
            assert left["count"] == 3
    topics = [f"{topic_prefix}payments.invoices"]
    verdict = judge(await asyncio.to_thread(read_committed, servers, topics))
    facts = [("i1", "created"), ("i2", "created"), ("i2", "paid")]
    assert Counter(event["id"] for event in verdict.events) == {
        str(Fact(ResourceKey("smartpay", "other", "invoice", id_), action).id): 1
        for id_, action in facts
    }
    assert verdict.clean


async def redriven_twice_and_at_once(config: Path, ids: list[str]) -> None:
    """Redrive all, from two commands at the same time, after a dry run that changes nothing."""
    would_be = await run(config, "redrive", "--account", "other", "--dry-run")
    assert {letter["id"] for letter in would_be["dead_letters"]} == set(ids)
    first, second = await asyncio.gather(
        run(config, "redrive", "--account", "other", "--rate", "20", expect=1),
        run(config, "redrive", "--since", "1h", "--no-wait"),
    )
    assert set(first["redriven"]) == set(second["redriven"]) == set(ids)
    assert "outcomes" not in second
    states = Counter(outcome["state"] for outcome in first["outcomes"])
    assert states == {"gone": 2, "failed": 1}
    [failed] = [outcome for outcome in first["outcomes"] if outcome["state"] == "failed"]
    assert failed["reason"] == "not-json"
    [left] = await until_there_are(config, 1)
    assert left["id"] == failed["letter"] != failed["id"]


async def test_the_admin_api_finds_and_redrives_by_filter(service: Payevents) -> None:
    """Filters and a limit, in the query and in JSON, say how many more there are."""
    url = f"{service.admin}/v1/dead-letters"
    await until_it_is(service, "ok")
    for body in (NONSENSE, b"[]", b"{}"):
        assert await post(f"{service.webhooks}/shop", Webhook("invoice/created", body)) == 200
    await until_there_are(service.config, 3)
    _, found = await ask(url, params={"reason": "not-json", "limit": 1, "since": "1h"})
    assert (len(found["dead_letters"]), found["more"]) == (1, 1)
    _, none = await ask(url, params={"until": "1h"})
    assert none == {"dead_letters": [], "more": 0, "reasons": []}
    wanted = {"reason": "not-json", "limit": 1, "dry_run": True}
    status, would_be = await ask(f"{url}/redrive", "POST", json=wanted)
    assert (status, len(would_be["dead_letters"]), would_be["more"]) == (200, 1, 1)
    wanted["dry_run"] = False
    status, outcome = await ask(f"{url}/redrive", "POST", json=wanted)
    [redriven] = outcome["redriven"]
    assert (status, redriven, outcome["more"]) == (202, would_be["dead_letters"][0]["id"], 1)

    async def counted_up() -> bool:
        _, now = await ask(url, params={"reason": "not-json"})
        return {letter["id"] for letter in now["dead_letters"] if letter["count"] == 2} == {
            redriven
        }

    await eventually(counted_up, "the letter was never tried again")
    status, outcome = await ask(f"{url}/redrive", "POST", json={"ids": [redriven, "unknown"]})
    assert (status, outcome["redriven"], list(outcome["refused"])) == (202, [redriven], ["unknown"])
    status, _ = await ask(f"{url}/redrive", "POST", json={"ids": ["unknown"]})
    assert status == 404
