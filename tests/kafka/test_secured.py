"""A secured cluster: TLS, signing in and rights, as a merchant's Kafka has them."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.kafka.secured import CERTIFIED, SIGNING_IN, USER, Right, Secured, documented, guarded
from tests.kafka.test_operator import ask, command, eventually
from tests.kafka.test_spine import read
from tests.support.configuration import service_config
from tests.support.payevents import Payevents
from tests.support.webhooks import invoice, post

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Return a guarded cluster at which the user is known, and has no right yet."""
    made = guarded(tmp_path_factory.mktemp("secured"))
    with made.cluster:
        made.enrol()
        yield made


@pytest.fixture
def rights(topic_prefix: str) -> Sequence[Right]:
    """Return the rights that the documentation has people give, for this prefix."""
    given = documented(OPERATIONS.read_text("utf-8"), "acme.", topic_prefix)
    assert {right.resource for right in given} == {"topic", "group", "transactional-id"}
    return given


def written(secured: Secured, prefix: str, folder: Path, settings: str, door: str) -> Path:
    """Return a configuration that comes by a door with these settings."""
    config = service_config(secured.cluster.door(door), prefix, folder)
    file = folder / "secured.toml"
    file.write_text(config.replace("[kafka]", f"[kafka]\n{settings}"))
    return file


def wrong(config: Path) -> list[dict[str, str]]:
    """Return what the doctor calls wrong, of which there must be something."""
    told = json.loads(command(config, "doctor", "--json", expect=1).stdout)
    return [finding for finding in told["findings"] if finding["verdict"] == "wrong"]


@pytest.mark.parametrize(
    ("door", "principal", "changes"),
    [
        (SIGNING_IN, f"User:{USER}", {"sasl_mechanism": "PLAIN"}),
        (SIGNING_IN, f"User:{USER}", {"sasl_mechanism": "SCRAM-SHA-256"}),
        (SIGNING_IN, f"User:{USER}", {"sasl_mechanism": "SCRAM-SHA-512"}),
        (CERTIFIED, f"User:CN={USER}", {}),
    ],
    ids=["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "certificate"],
)
async def test_with_the_documented_rights_a_webhook_becomes_its_event(
    secured: Secured,
    topic_prefix: str,
    rights: Sequence[Right],
    tmp_path: Path,
    door: str,
    principal: str,
    changes: dict[str, str],
) -> None:
    """However one signs in: these rights and no others are enough, for commands and service."""
    secured.give(rights, principal)
    settings = secured.settings(door, **changes)
    config = written(secured, topic_prefix, tmp_path, settings, door)
    command(config, "topics", "create")
    command(config, "doctor")
    with Payevents(config.read_text(), tmp_path) as service:
        assert await post(f"{service.webhooks}/shop", invoice("aBc123")) == 200
        [event] = await read(secured.cluster, topic_prefix, "payments.invoices", 1)
        assert await asyncio.to_thread(service.terminate) == 0
    assert event.key == b"smartpay/shop/invoice/aBc123"
    larger = config.read_text().replace("partitions = 4", "partitions = 8\nevent_partitions = 4")
    config.write_text(larger)
    command(config, "topics", "repartition")
    command(config, "explain", "invoice/aBc123", "--account", "shop")


@pytest.mark.parametrize(
    ("door", "changes", "told", "remedy"),
    [
        (
            SIGNING_IN,
            {"sasl_password": "another"},
            "refuses the user or the password",
            "sasl_password",
        ),
        (
            SIGNING_IN,
            {"sasl_username": "nobody"},
            "refuses the user or the password",
            "sasl_username",
        ),
        (SIGNING_IN, {"ssl_cafile": ""}, "is not trusted", "ssl_cafile"),
        (
            SIGNING_IN,
            {"security_protocol": "SASL_PLAINTEXT", "ssl_cafile": ""},
            "hangs",
            "protocol",
        ),
        (
            CERTIFIED,
            {"ssl_certfile": "", "ssl_keyfile": "", "ssl_password": ""},
            "hangs",
            "certfile",
        ),
    ],
    ids=["password", "user", "authority", "no TLS", "no certificate"],
)
def test_what_keeps_us_out_is_named(
    secured: Secured,
    topic_prefix: str,
    tmp_path: Path,
    door: str,
    changes: dict[str, str],
    told: str,
    remedy: str,
) -> None:
    """Nobody is sent to look for a cluster that is there and does not let them in."""
    settings = secured.settings(door, **changes)
    config = written(secured, topic_prefix, tmp_path, settings, door)
    [finding] = wrong(config)
    assert told in finding["told"]
    assert remedy in finding["remedy"]
    said = command(config, "topics", "create", expect=1).stderr
    assert told in said
    assert remedy in said


def test_a_name_that_the_certificate_does_not_bear_is_named(
    secured: Secured, topic_prefix: str, tmp_path: Path
) -> None:
    """Whoever answers there might be anyone."""
    config = written(secured, topic_prefix, tmp_path, secured.settings(), SIGNING_IN)
    config.write_text(config.read_text().replace('servers = "127.0.0.1:', 'servers = "localhost:'))
    [finding] = wrong(config)
    assert "is not what it is called" in finding["told"]


def test_a_missing_right_is_named(
    secured: Secured, topic_prefix: str, rights: Sequence[Right], tmp_path: Path
) -> None:
    """Topics that may not be seen are not taken for missing, and the doctor tells each right."""
    config = written(secured, topic_prefix, tmp_path, secured.settings(), SIGNING_IN)
    [hidden] = wrong(config)
    assert hidden["told"].startswith("we may not see")
    assert "Describe" in hidden["remedy"]
    assert "give the user Create" in command(config, "topics", "create", expect=1).stderr
    assert "HIDDEN" in command(config, "topics", "list").stdout
    secured.give(right for right in rights if right.resource == "topic")
    command(config, "topics", "create")
    assert [each["told"].split(" from the ")[1] for each in wrong(config)] == [
        f"consumer group {topic_prefix}payevents-route",
        f"consumer group {topic_prefix}payevents-poll",
        f"transactional id {topic_prefix}payevents-doctor",
    ]


async def test_webhooks_are_taken_while_a_right_is_missing(
    secured: Secured, topic_prefix: str, rights: Sequence[Right], tmp_path: Path
) -> None:
    """The service sounds an alarm and goes on; once the right is given, what waits is routed."""
    config = written(secured, topic_prefix, tmp_path, secured.settings(), SIGNING_IN)
    await asyncio.to_thread(secured.give, [r for r in rights if r.resource == "topic"])
    await asyncio.to_thread(command, config, "topics", "create")
    with Payevents(config.read_text(), tmp_path) as service:
        alarm = service.await_line("alarm")
        assert alarm["code"].startswith("kafka-forbids-")
        assert "consumer group" in alarm["why"]
        assert await post(f"{service.webhooks}/shop", invoice("waits")) == 200
        await asyncio.to_thread(secured.give, rights)
        [event] = await read(secured.cluster, topic_prefix, "payments.invoices", 1)
    assert event.key == b"smartpay/shop/invoice/waits"


async def test_webhooks_wait_in_the_spool_while_the_inbox_may_not_be_written_to(
    secured: Secured, topic_prefix: str, rights: Sequence[Right], tmp_path: Path
) -> None:
    """The alarm names the right; once it is given, the alarm is over and what waited is routed."""
    config = written(secured, topic_prefix, tmp_path, secured.settings(), SIGNING_IN)
    no_writing = [r for r in rights if (r.resource, r.operation) != ("topic", "Write")]
    await asyncio.to_thread(secured.give, no_writing)
    await asyncio.to_thread(command, config, "topics", "create")
    with Payevents(config.read_text(), tmp_path) as service:

        async def inbox_alarms() -> list[dict[str, str]]:
            _, status = await ask(f"{service.admin}/v1/status")
            return [each for each in status["alarms"] if each["code"] == "kafka-forbids-inbox"]

        async def is_over() -> bool:
            return not await inbox_alarms()

        await asyncio.to_thread(service.await_line, "Kafka takes records")
        assert await post(f"{service.webhooks}/shop", invoice("waits")) == 200
        [alarm] = await inbox_alarms()
        assert f"the topic {topic_prefix}payevents.inbox" in alarm["why"]
        assert "Write" in alarm["what_to_do"]
        await asyncio.to_thread(secured.give, rights)
        [event] = await read(secured.cluster, topic_prefix, "payments.invoices", 1)
        assert event.key == b"smartpay/shop/invoice/waits"
        await eventually(is_over, "the alarm was never over")
