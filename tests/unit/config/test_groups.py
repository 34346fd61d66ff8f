"""The defaults of the groups, and what they refuse and warn of."""

import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from config.account import AccountSettings
from config.kafka import KafkaSettings
from config.listeners import AdminSettings, HttpSettings
from config.machine import EventSettings, LedgerSettings
from config.settings import Settings
from tests.unit.config.samples import PolledAccount


def test_defaults_of_the_contract() -> None:
    """The defaults that the documents promise."""
    settings = Settings()
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8080)  # noqa: S104 - the documented default
    assert (settings.admin.host, settings.admin.port) == ("127.0.0.1", 8081)
    assert settings.http.max_body == 256 * 1024
    assert settings.http.body_timeout == timedelta(seconds=10)
    assert settings.http.drain_delay == timedelta(seconds=5)
    assert settings.kafka.ack_timeout == timedelta(seconds=2)
    assert settings.kafka.session_timeout == timedelta(seconds=10)
    assert settings.kafka.transaction_timeout == timedelta(seconds=15)
    assert (settings.kafka.partitions, settings.kafka.replication_factor) == (12, 3)
    assert settings.kafka.inbox_retention == timedelta(days=30)
    assert settings.kafka.dead_letter_retention == timedelta(days=90)
    assert settings.kafka.event_retention == timedelta(days=7)
    assert settings.spool.max_bytes == 2**30
    assert settings.ledger.retention is None
    assert settings.event.source_base == ""


def test_settings_are_frozen() -> None:
    """Nothing changes settings once they are made."""
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.http.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(("brokers", "least"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_min_insync_replicas_follow(brokers: int, least: int) -> None:
    """Unset, all replicas but one must have a record, and at least one."""
    assert KafkaSettings(replication_factor=brokers).min_insync_replicas == least
    assert KafkaSettings(replication_factor=brokers, min_insync_replicas=1).min_insync_replicas == 1


def test_application_has_the_prefix() -> None:
    """Deployments with different prefixes do not share groups or transactional ids."""
    assert KafkaSettings(topic_prefix="acme.").application == "acme.payevents"


@pytest.mark.parametrize(
    ("settings", "objection"),
    [
        ({"replication_factor": 2, "min_insync_replicas": 3}, "min_insync_replicas: is more than"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "u"}, "sasl_password: is missing"),
        ({"sasl_username": "u"}, "sasl_username: has no effect"),
        ({"ssl_cafile": "ca.pem"}, "ssl_cafile: has no effect"),
        ({"security_protocol": "SSL", "ssl_keyfile": "k.pem"}, "ssl_certfile: is missing"),
    ],
)
def test_kafka_refuses(settings: dict[str, object], objection: str) -> None:
    """Credentials that do not fit the protocol and replicas that cannot be had are refused."""
    with pytest.raises(ValidationError, match=objection):
        KafkaSettings.model_validate(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"security_protocol": "SASL_SSL", "sasl_username": "u", "sasl_password": "p"},
        {"security_protocol": "SSL", "ssl_certfile": "c", "ssl_keyfile": "k", "ssl_cafile": "a"},
    ],
)
def test_kafka_accepts(settings: dict[str, object]) -> None:
    """Complete credentials are accepted."""
    accepted = KafkaSettings.model_validate(settings)
    assert accepted.security_protocol == settings["security_protocol"]


@pytest.mark.parametrize(
    "servers",
    [
        "kafka",
        "kafka-1.acme.internal:9092, kafka_2:65535",
        "10.0.0.1:9092,[::1]:9092,[fe80::1]",
    ],
)
def test_addresses_of_brokers_are_accepted(servers: str) -> None:
    """Names and addresses, with a port or without, and with spaces after the commas."""
    assert KafkaSettings(bootstrap_servers=servers).bootstrap_servers == servers


@pytest.mark.parametrize(
    ("servers", "wrong"),
    [
        ("kafka:port", "kafka:port"),
        ("kafka:0", "kafka:0"),
        ("kafka:65536", "kafka:65536"),
        ("kafka:9092:9092", "kafka:9092:9092"),
        ("SSL://kafka:9092", "SSL://kafka:9092"),
        ("kafka:9092,", ""),
        ("kafka-1:9092 kafka-2:9092", "kafka-1:9092 kafka-2:9092"),
        ("kafka-1:9092;kafka-2:9092", "kafka-1:9092;kafka-2:9092"),
        ("[::1:9092", "[::1:9092"),
    ],
)
def test_what_is_no_address_of_a_broker_is_refused(servers: str, wrong: str) -> None:
    """The service would look for it for ever: that it is none is told before it starts."""
    objection = re.escape(f"bootstrap_servers: has '{wrong}', which is no address of a broker")
    with pytest.raises(ValidationError, match=objection):
        KafkaSettings(bootstrap_servers=servers)


@pytest.mark.parametrize("partitions", [0, 10_001])
def test_partitions_have_bounds(partitions: int) -> None:
    """A topic has 1 to 10,000 partitions."""
    with pytest.raises(ValidationError):
        KafkaSettings(partitions=partitions)


def test_admin_needs_a_token_when_exposed() -> None:
    """The admin API is open only to this machine, unless there is a token."""
    with pytest.raises(ValidationError, match="token: is missing"):
        AdminSettings(host="0.0.0.0")  # noqa: S104 - what is refused
    assert AdminSettings.model_validate({"host": "10.0.0.1", "token": "t"}).token is not None
    assert AdminSettings(host="::1").token is None


def test_public_url_is_https() -> None:
    """The public URL is https unless it is this machine or http is allowed."""
    with pytest.raises(ValidationError, match="public_url: is plain http"):
        HttpSettings(public_url="http://pay.example")
    for settings in (
        HttpSettings(public_url="http://pay.example", allow_http=True),
        HttpSettings(public_url="http://127.0.0.1:8080"),
    ):
        assert settings.public_url is not None


def test_what_is_pending_has_room_for_bodies() -> None:
    """A share of the budget must hold the largest body, and others beside it."""
    HttpSettings.model_validate({"max_body": "1MiB", "max_pending": "8MiB"})
    with pytest.raises(ValidationError, match="max_pending: is less than 8 times max_body"):
        HttpSettings.model_validate({"max_body": "1MiB", "max_pending": "7MiB"})


def test_drain_delay_leaves_time_to_end() -> None:
    """A drain delay that would break the promise of ending within 30 seconds is refused."""
    assert HttpSettings(drain_delay=timedelta(seconds=20)).drain_delay.total_seconds() == 20
    with pytest.raises(ValidationError, match="drain_delay: is longer"):
        HttpSettings(drain_delay=timedelta(seconds=21))


@pytest.mark.parametrize("base", ["", "/eu", "https://pay.example/eu", "urn:example"])
def test_source_base(base: str) -> None:
    """A URI or an absolute path can stand before a source."""
    assert EventSettings(source_base=base).source_base == base


@pytest.mark.parametrize("base", ["/", "/eu/", "eu", "https://pay.example/", "/a b", "/a\n"])
def test_source_base_refused(base: str) -> None:
    """What would not make a valid source with a path after it is refused."""
    with pytest.raises(ValidationError):
        EventSettings(source_base=base)


def _account(**keys: object) -> AccountSettings:
    return PolledAccount.model_validate({"name": "a", "provider": "polled", **keys})


def test_account_defaults() -> None:
    """What all accounts have in common has its documented defaults."""
    account = _account(base_url="https://api.example")
    assert account.poll_interval == timedelta(seconds=60)
    assert account.backoff_max == timedelta(minutes=5)
    assert account.watch_max_age == timedelta(days=30)
    assert account.call_timeout == timedelta(seconds=30)
    assert (account.calls, account.calls_per, account.concurrency) == (60, timedelta(minutes=1), 4)
    assert account.signing_key_fingerprints() == frozenset()


def test_account_http_is_asked_for_and_warned_about() -> None:
    """Plain http to another machine needs allow_http, and is warned about even then."""
    with pytest.raises(ValidationError, match="base_url: is plain http"):
        _account(base_url="http://api.example")
    assert _account(base_url="http://127.0.0.1:1").warnings() == []
    warnings = _account(base_url="http://api.example", allow_http=True).warnings()
    assert any("plain http" in warning for warning in warnings)


def test_base_url_is_checked_in_subclasses_with_a_default() -> None:
    """A provider's own default for base_url does not take the check away."""
    with pytest.raises(ValidationError, match="slash"):
        _account(base_url="https://api.example/")


@pytest.mark.parametrize("name", ["", "Shop", "-a", "_a", "a b", "a/b", "a\n", "é"])
def test_account_names_refused(name: str) -> None:
    """An account's name is fit for URLs, keys and ids."""
    with pytest.raises(ValidationError):
        _account(name=name, base_url="https://api.example")


def test_warnings_name_the_place() -> None:
    """The warnings of groups and accounts are gathered, each with its place."""
    account = _account(base_url="http://api.example", allow_http=True)
    settings = Settings(kafka=KafkaSettings(replication_factor=1), accounts={account.name: account})
    assert [warning.partition(": ")[0] for warning in settings.warnings()] == [
        "kafka",
        "accounts.a",
    ]
    assert "accounts: there are none" in Settings().warnings()[0]


def test_a_ledger_that_forgets_is_warned_of() -> None:
    """Whoever sets a retention is told what it costs; without one there is nothing to tell."""
    forgetful = Settings(ledger=LedgerSettings(retention=timedelta(days=365)))
    [warning] = set(forgetful.warnings()) - set(Settings().warnings())
    assert warning.startswith("ledger.retention: ")
