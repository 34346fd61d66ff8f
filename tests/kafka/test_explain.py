"""The story of a resource against Apache Kafka, as the command tells it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from handlers.fact import Fact
from handlers.resource import ResourceKey
from receiver.spool.file import Spooled, SpoolFile
from tests.kafka.cluster import Cluster
from tests.kafka.test_dead_letters import OTHER, OTHER_KEY, PAID, run, until_there_are
from tests.kafka.test_operator import ask, command, eventually
from tests.support.configuration import service_config
from tests.support.payevents import Payevents
from tests.support.webhooks import Webhook, invoice, post

CANCELLED: dict[str, Any] = {"topic": "invoice/cancelled", "is_enabled": False}


@pytest.fixture
def settings(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration without the account ``other``; its topics exist."""
    text = service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
    file = tmp_path / "topics.toml"
    file.write_text(text)
    command(file, "topics", "create")
    return text


async def explain(config: Path, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """Return the JSON that ``payevents explain`` prints."""
    done = await asyncio.to_thread(command, config, "explain", *arguments, "--json", expect=expect)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def story_of(config: Path, subject: str, count: int) -> dict[str, Any]:
    """Return the only story of a subject once so many of its observations are routed."""
    stories: list[dict[str, Any]] = []

    async def routed() -> bool:
        nonlocal stories
        stories = (await explain(config, subject))["stories"]
        seen = [each for story in stories for each in story["observations"]]
        return len(seen) >= count and sum(each["routed"] for each in seen) == count

    await eventually(routed, f"never were {count} routed")
    [story] = stories
    return story


def fates(observation: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    """Return what became of each fact that an observation asserts."""
    return [(fact["action"], fact["fate"], fact["sequence"]) for fact in observation["facts"]]


def place(observation: dict[str, Any]) -> dict[str, int]:
    """Return where an observation stands."""
    return {"partition": observation["partition"], "offset": observation["offset"]}


async def send(service: Payevents, *webhooks: Webhook, account: str = "shop", **key: str) -> None:
    """Send webhooks, one after the other."""
    for webhook in webhooks:
        assert await post(f"{service.webhooks}/{account}", webhook, **key) == 200


async def ready(service: Payevents) -> Path:
    """Return the configuration once Kafka takes webhooks: what is spooled may lose its order."""
    await asyncio.to_thread(service.await_line, "Kafka takes records")
    return service.config


async def test_the_whole_story_of_an_invoice(settings: str, tmp_path: Path) -> None:
    """Each observation is told with what it published, what was dropped, and what waits."""
    with Payevents(settings, tmp_path, "receive", "--roles", "receive") as receiver:
        config = await ready(receiver)
        with Payevents(settings, tmp_path, "work", "--roles", "route,poll"):
            cancelled = invoice("a/B 1", **CANCELLED)
            paid = invoice("a/B 1", **PAID)
            test = invoice("a/B 1", is_dummy=True)
            broken = invoice("a/B 1", amount="ten")
            forged = invoice("a/B 1", "invoice/refunded")
            await send(receiver, cancelled, cancelled, paid, test, broken, forged)
            await story_of(config, "invoice/a%2FB%201", 6)
        await send(receiver, paid)
        story = await story_of(config, "invoice/a/B 1", 6)
        first, again, late, dummy, letter, claim, waiting = story["observations"]
        assert fates(first) == [("created", "published", 1), ("cancelled", "published", 2)]
        assert [fact["event"]["inferred"] for fact in first["facts"]] == [True, False]
        assert fates(again) == [("created", "duplicate", 1), ("cancelled", "duplicate", 2)]
        assert {tuple(fact["by"].items()) for fact in again["facts"]} == {
            tuple(place(first).items())
        }
        assert (again["sha256"], again["request_id"]) != (first["sha256"], first["request_id"])
        assert fates(late) == [("created", "duplicate", 1), ("paid", "published", 3)]
        assert late["facts"][1]["event"]["late"]
        assert (fates(dummy), dummy["facts"][0]["test"]) == ([("created", "published", 1)], True)
        assert letter["refusal"].startswith("bad-field")
        assert letter["dead_letters"][0]["detail"].startswith("amount")
        assert claim["dead_letters"][0]["reason"] == "topic-beyond-body"
        assert (waiting["routed"], fates(waiting)[1][1]) == (False, "waits")
        assert story["statuses"] == {
            "smartpay/shop/invoice/a%2FB%201": "cancelled",
            "smartpay/shop/test/invoice/a%2FB%201": "created",
        }
        assert [(fact["action"], fact["sequence"]) for fact in story["ledger"]] == [
            ("created", 1),
            ("cancelled", 2),
            ("paid", 3),
            ("created", 1),
        ]


async def test_a_look_up_that_is_under_way_is_told(settings: str, tmp_path: Path) -> None:
    """A claim is told with when the provider was to be asked, and that it is still being asked."""
    dead = 'base_url = "http://127.0.0.1:9"'
    impatient = settings.replace(dead, f'{dead}\nbackoff_min = "1s"\nbackoff_max = "2s"')
    with Payevents(impatient, tmp_path) as service:
        await ready(service)
        await send(service, invoice("i1", "invoice/paid"))
        story: dict[str, Any] = {}

        async def under_way() -> bool:
            nonlocal story
            story = await story_of(service.config, "invoice/i1", 1)
            [look_up] = story["observations"][0]["look_ups"] or [{"state": ""}]
            return "the last try failed" in look_up["state"]

        await eventually(under_way, f"the look-up was never under way: {story}")
        [observation] = story["observations"]
        assert observation["claim"]["action"] == "paid"
        assert observation["claim"]["fact"]["fate"] == "unpublished"


async def test_after_a_redrive_both_observations_tell_of_it(settings: str, tmp_path: Path) -> None:
    """What was a dead letter and was redriven: the second observation published for the first."""
    with Payevents(settings + OTHER, tmp_path, "receive", "--roles", "receive") as receiver:
        await ready(receiver)
        with Payevents(settings, tmp_path, "without", "--roles", "route"):
            await send(receiver, invoice("i1"), account="other", key=OTHER_KEY)
            [letter] = await until_there_are(receiver.config, 1)
        before = await story_of(receiver.config, "invoice/i1", 1)
        [told] = before["observations"][0]["dead_letters"]
        assert (told["id"], fates(before["observations"][0])) == (
            letter["id"],
            [("created", "unpublished", None)],
        )
        with Payevents(settings + OTHER, tmp_path, "with", "--roles", "route"):
            await run(receiver.config, "redrive", letter["id"])
        story = await story_of(receiver.config, "invoice/i1", 2)
    first, second = story["observations"]
    assert fates(first) == [("created", "published-later", 1)]
    assert first["facts"][0]["by"] == place(second)
    assert fates(second) == [("created", "published", 1)]
    assert second["redriven_from"] == letter["id"]
    fact = Fact(ResourceKey("smartpay", "other", "invoice", "i1"), "created")
    assert second["facts"][0]["event"]["id"] == str(fact.id)
    assert first["dead_letters"] == second["dead_letters"] == []


async def test_bytes_are_traced(settings: str, tmp_path: Path) -> None:
    """From a body to its offsets, or to a spool file that nobody uses; else it never arrived."""
    arrived, spooled, unknown = invoice("i1"), invoice("i2"), invoice("i3")
    file = tmp_path / "body"
    with Payevents(settings, tmp_path) as service:
        await ready(service)
        await send(service, arrived, invoice("i1", **PAID), arrived)
        story = await story_of(service.config, "invoice/i1", 3)
        file.write_bytes(arrived.body)
        found = await explain(service.config, "--body", str(file))
        first, _, third = story["observations"]
        assert [place(at) for at in found["body"]["inbox"]] == [place(first), place(third)]
        assert found["body"]["sha256"] == first["sha256"]
        url = f"{service.admin}/v1/explain"
        assert await ask(url, params={"subject": "invoice/i1"}) == (200, {"stories": [story]})
        status, _ = await ask(url, params={"subject": "invoice/i3", "since": "1h"})
        assert status == 404
    with SpoolFile(tmp_path / "left.spool", 1 << 20) as left:
        key, headers = b"smartpay/shop/invoice/i2", [("payevents-account", b"shop")]
        headers += [("payevents-origin", b"webhook"), ("payevents-topic", b"invoice/created")]
        headers += [("payevents-received-at", b"2026-01-01T00:00:00Z")]
        left.append([Spooled(key, headers, spooled.body)])
    file.write_bytes(spooled.body)
    found = await explain(service.config, "--body", str(file), "--account", "shop")
    assert (found["body"]["inbox"], found["body"]["spool"]) == ([], ["left.spool"])
    assert (await explain(service.config, "invoice/i2"))["stories"][0]["spooled"]
    file.write_bytes(unknown.body)
    told = await asyncio.to_thread(
        command, service.config, "explain", "--body", str(file), expect=1
    )
    assert "these bytes never arrived here" in told.stdout
    nothing = await asyncio.to_thread(command, service.config, "explain", "invoice/i3", expect=1)
    assert nothing.stdout == "nothing is known of invoice/i3 (searched: shop)\n"
