"""Disaster: what Kafka held is rebuilt from the providers, as the page for operators tells."""

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from receiver.accounts.providers import installed_providers
from receiver.sandbox.host import SandboxHost
from receiver.sandbox.snippet import as_toml
from tests.kafka.cluster import Cluster
from tests.kafka.town import Town, ids, told
from tests.support.configuration import service_config
from tests.unit.docs.pages import OPERATIONS

NAMES = {"smartpay": "shop", "subscriply": "members", "voucherry": "cherries"}

# Several services one after the other, some of which were killed and are succeeded only when
# their sessions have run out.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def town(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Return the town: sandboxes up, a configuration, no topics and no service yet."""
    async with AsyncExitStack() as opened:
        hosts = {
            NAMES[name]: await opened.enter_async_context(SandboxHost(provider.sandbox()))
            for name, provider in installed_providers().items()
        }
        accounts = "".join(
            as_toml(
                host.sandbox.account(name, host.base_url).model_copy(
                    update={"poll_interval": timedelta(seconds=1)}
                )
            )
            for name, host in hosts.items()
        )
        text = service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
        config = tmp_path / "command.toml"
        config.write_text(text.partition("[accounts.shop]")[0] + accounts)
        town = Town(kafka_cluster, topic_prefix, config, hosts)
        yield town
        for service in town.services:
            opened.callback(service.__exit__)


def documented(heading: str) -> list[list[str]]:
    """Return the commands that the page for operators gives under a heading, in their order."""
    _, _, below = OPERATIONS.read_text("utf-8").partition(f"\n### {heading}\n")
    section = re.split(r"^##", below, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    assert lines, heading
    return [shlex.split(line)[1:] for line in lines]


async def follow(town: Town, heading: str, export: Path) -> None:
    """Do what the page says, with our file for the backup's; `serve` is started beside."""
    for arguments in documented(heading):
        if arguments == ["serve"]:
            await town.serve()
        else:
            here = [
                argument.replace("/backup/watches.jsonl", str(export)) for argument in arguments
            ]
            await town.run(*here)


async def register(town: Town, control: str) -> None:
    """Create something at Voucherry, and register it as its creator does."""
    resource = await town.hosts["cherries"].control(control, amount="50")
    body = {"account": "cherries", "resource": resource}
    url = f"{town.services[-1].admin}/v1/watches"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status == 202, await answer.text()


async def some_days(town: Town) -> list[dict[str, Any]]:
    """Let things happen at all three providers; return their events."""
    shop, members = town.hosts["shop"], town.hosts["members"]
    shop.sandbox.subscribe(f"{town.services[-1].webhooks}/shop")
    for amount in ("10.00", "20.00", "30.00"):
        await shop.control("create-invoice", amount=amount)
    await shop.control("pay", invoice="invoice-1")
    await shop.control("cancel-invoice", invoice="invoice-2")
    await members.control("add-subscription")
    await members.control("charge", amount="1999")
    await register(town, "create-transfer")
    await register(town, "create-request")
    return await town.events(3 + 3 + 2 + 1 + 2)


async def end_a_transfer(town: Town) -> set[str]:
    """Confirm the transfer, which is watched no more then; return what its events say."""
    await town.hosts["cherries"].control("confirm", kind="cherries_transfers")
    return {f"voucherry/cherries/transfer/1 {action}" for action in ("requested", "confirmed")}


async def one_more_day(town: Town, before: int) -> list[dict[str, Any]]:
    """Let more happen after ``before`` events, with another replica; return all events."""
    shop, members = town.hosts["shop"], town.hosts["members"]
    shop.sandbox.subscribe(f"{town.services[-1].webhooks}/shop")
    await shop.control("create-invoice", amount="35.00")
    await shop.control("pay")
    await members.control("void")
    await register(town, "create-transfer")
    return await town.events(before + 3 + 1 + 1)


async def unheard(town: Town) -> set[str]:
    """Let things happen of which no webhook and no poll can tell; return what they are."""
    shop, members, cherries = (town.hosts[name] for name in NAMES.values())
    # Nobody takes these: what is queued for a webhook is lost when it is deleted.
    shop.sandbox.subscribe("http://127.0.0.1:9/webhooks/shop")
    await shop.control("pay", invoice="invoice-3")
    created: Any = await shop.control("create-invoice", amount="40.00")
    await shop.control("fail")
    await shop.control("cancel-order", order="order-2")
    refund: Any = await members.control("refund", amount="500")
    confirmed: Any = await cherries.control("confirm")
    kind = {"cherries_transfers": "transfer", "cherries_requests": "transfer_request"}
    collection = confirmed["url"].split("/")[-2]
    return {
        "smartpay/shop/invoice/invoice-3 paid",
        f"smartpay/shop/invoice/{created['invoice_id']} created",
        f"smartpay/shop/invoice/{created['invoice_id']} failed",
        f"smartpay/shop/order/{created['order_id']} created",
        "smartpay/shop/order/order-2 cancelled",
        f"subscriply/members/refund/{refund['id']} succeeded",
        f"voucherry/cherries/{kind[collection]}/{confirmed['id']} confirmed",
    }


async def exported(town: Town, tmp_path: Path) -> Path:
    """Export the watches, as cron does."""
    file = tmp_path / "watches.jsonl"
    file.write_text((await town.run("watches", "export")).stdout)
    return file


def watched(export: Path) -> list[str]:
    """Return the kinds of the watches in an exported file."""
    head, *lines = map(json.loads, export.read_text().splitlines())
    assert head["watches"] == len(lines)
    return [line["kind"] for line in lines]


async def test_a_lost_cluster_is_rebuilt_from_the_providers(town: Town, tmp_path: Path) -> None:
    """After the steps for a lost cluster each event is there once, with the id that it had.

    All but those of a transfer that had ended: nobody lists it, and nobody watched it any more.
    """
    await town.run("topics", "create")
    service = await town.serve()
    first = await some_days(town)
    ended = await end_a_transfer(town)
    before = await town.events(len(first) + 1)
    export = await exported(town, tmp_path)
    while watched(export) != ["cherries_requests"]:
        # The event comes before the watch is over.
        export = await exported(town, tmp_path)
    await asyncio.to_thread(service.kill)
    await asyncio.to_thread(town.lose_everything)
    missed = await unheard(town)
    await follow(town, "The cluster is gone", export)
    after = await town.events(len(before) - len(ended) + len(missed))
    assert {told(event) for event in before if event["id"] not in ids(after)} == ended
    assert {told(event) for event in after if event["id"] not in ids(before)} == missed
    again = await town.run("reconcile", "--account", "shop", "--since", "1d", "--json")
    assert json.loads(again.stdout)["complete"]
    assert ids(await town.events(len(after))) == ids(after)


async def test_a_cluster_restored_from_a_backup_catches_up(town: Town, tmp_path: Path) -> None:
    """After the steps for a restored cluster nothing is missing, and sequences have no gap."""
    await town.run("topics", "create")
    service = await town.serve()
    early = await some_days(town)
    await asyncio.to_thread(service.terminate)
    backup = await asyncio.to_thread(town.back_up)
    service = await town.serve()
    before = await one_more_day(town, len(early))
    export = await exported(town, tmp_path)
    await asyncio.to_thread(service.kill)
    await asyncio.to_thread(town.lose_everything)
    await town.run("topics", "create")
    await asyncio.to_thread(town.restore, backup)
    missed = await unheard(town)
    service = await town.serve()
    codes = {(await asyncio.to_thread(service.await_line, "alarm"))["code"] for _ in range(2)}
    assert {code.rpartition("-")[0] for code in codes} <= {
        "broken-route-shard",
        "broken-poll-shard",
    }
    await asyncio.to_thread(service.terminate)
    await follow(town, "The cluster is restored from a backup", export)
    after = await town.events(len(before) + len(missed))
    assert ids(before) <= ids(after)
    assert {told(event) for event in after if event["id"] not in ids(before)} == missed
    stories: dict[str, list[int]] = {}
    for event in after:
        stories.setdefault(event["partitionkey"], []).append(event["data"]["sequence"])
    assert all(story == list(range(1, len(story) + 1)) for story in stories.values()), stories
