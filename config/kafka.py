"""The settings of the Kafka cluster and of the topics made on it."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr

from config.group import Group
from config.problems import Mistake
from config.types import Interval, Timeout, TopicPrefix

_HIGHEST_PORT = 65_535
_split = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]+))?").fullmatch
"""A name or an address, an IPv6 one in brackets, and its port, without which clients use 9092."""


def _all_but_one(data: dict[str, Any]) -> int:
    return max(1, int(data["replication_factor"]) - 1)


class KafkaSettings(Group):
    """The Kafka cluster, and how topics are made on it."""

    bootstrap_servers: str = Field(
        default="127.0.0.1:9092",
        min_length=1,
        description="The brokers asked first, as `host:port`, several with commas between.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How the brokers are spoken to."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="How the service signs in, with a SASL protocol."
    )
    sasl_username: str | None = Field(default=None, description="The user to sign in as.")
    sasl_password: SecretStr | None = Field(default=None, description="That user's password.")
    ssl_cafile: Path | None = Field(
        default=None,
        description="The authorities trusted for the brokers' certificates (PEM); the system's"
        " own when unset.",
    )
    ssl_certfile: Path | None = Field(
        default=None, description="The service's own certificate (PEM), where brokers ask for one."
    )
    ssl_keyfile: Path | None = Field(
        default=None, description="That certificate's key (PEM), if it is not in the same file."
    )
    ssl_password: SecretStr | None = Field(
        default=None, description="What the key is encrypted with."
    )
    client_id: str = Field(
        default="payevents", min_length=1, description="The name seen in the brokers' logs."
    )
    group: str = Field(
        default="payevents",
        min_length=1,
        description="What replicas that share the work have in common, after `topic_prefix`: their"
        " consumer groups and transactional ids begin so.",
    )
    topic_prefix: TopicPrefix = Field(
        default="",
        description='Put before every topic\'s name as it stands: "acme." gives'
        " `acme.payments.invoices`.",
    )
    replication_factor: int = Field(
        default=3, ge=1, le=32767, description="On how many brokers each partition is kept."
    )
    partitions: int = Field(
        default=12,
        ge=1,
        le=10_000,
        description="How many partitions a topic gets, and so how many replicas can share the"
        " work. After it was raised, `payevents topics repartition` must be run.",
    )
    event_partitions: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="How many partitions the topics of events and dead letters get, where that is"
        " not `partitions`: set it to the old number when `partitions` is raised, since a"
        " resource's events must stay in one partition.",
    )
    min_insync_replicas: int = Field(
        default_factory=_all_but_one,
        ge=1,
        description="How many brokers must have a record before it counts as accepted;"
        " `replication_factor` less one, but at least one, when unset.",
    )
    ack_timeout: Timeout = Field(
        default=timedelta(seconds=2),
        description="How long Kafka may take to accept a webhook before the spool takes it.",
    )
    session_timeout: Interval = Field(
        default=timedelta(seconds=10),
        description="How long a replica may be silent before others take its partitions over.",
    )
    transaction_timeout: Interval = Field(
        default=timedelta(seconds=15),
        description="How long a transaction may be open before the brokers abort it.",
    )
    inbox_retention: Interval = Field(
        default=timedelta(days=30),
        description="How long raw observations are kept: how far back an event's evidence reaches.",
    )
    dead_letter_retention: Interval = Field(
        default=timedelta(days=90), description="How long dead letters are kept."
    )
    event_retention: Interval = Field(
        default=timedelta(days=7), description="How long events are kept on their topics."
    )

    @property
    def for_events(self) -> int:
        """How many partitions the topics of events and dead letters get."""
        return self.partitions if self.event_partitions is None else self.event_partitions

    @property
    def application(self) -> str:
        """The name that consumer groups and transactional ids begin with: prefix and group."""
        return f"{self.topic_prefix}{self.group}"

    def warnings(self) -> list[str]:
        """What works but should be known, and after "; " what to do; without the group's name."""
        told = []
        if self.replication_factor == 1:
            told.append(
                "replication_factor is 1: the loss of one broker's disk loses data; leave it out,"
                " with three brokers or more"
            )
        if self.security_protocol == "SASL_PLAINTEXT":
            told.append(
                "security_protocol is SASL_PLAINTEXT: the password travels in the open; use"
                " SASL_SSL"
            )
        return told

    def mistakes(self) -> Iterable[Mistake]:
        """Addresses that are none, replicas that cannot be had, credentials for no protocol."""
        if self.min_insync_replicas > self.replication_factor:
            yield Mistake(
                "min_insync_replicas",
                f"is more than replication_factor ({self.replication_factor})",
                "nothing could ever be written: set it to replication_factor - 1, or leave it out",
            )
        yield from self._address_mistakes()
        yield from self._sasl_mistakes()
        yield from self._tls_mistakes()

    def _address_mistakes(self) -> Iterator[Mistake]:
        for address in self.bootstrap_servers.split(","):
            given = _split(address.strip())
            if given is None or not 0 < int(given[1] or 1) <= _HIGHEST_PORT:
                yield Mistake(
                    "bootstrap_servers",
                    f"has {address.strip()!r}, which is no address of a broker",
                    "write host:port, IPv6 in brackets and no scheme, several with commas between",
                )

    def _sasl_mistakes(self) -> Iterator[Mistake]:
        for key in ("sasl_username", "sasl_password"):
            given = getattr(self, key) is not None
            if given and "SASL" not in self.security_protocol:
                yield self._unused(key, "SASL_SSL or SASL_PLAINTEXT")
            if not given and "SASL" in self.security_protocol:
                yield Mistake(
                    key,
                    f"is missing, and security_protocol {self.security_protocol} needs it",
                    f"set kafka.{key}",
                )

    def _tls_mistakes(self) -> Iterator[Mistake]:
        if "SSL" not in self.security_protocol:
            for key in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_password"):
                if getattr(self, key) is not None:
                    yield self._unused(key, "SSL or SASL_SSL")
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            yield Mistake("ssl_certfile", "is missing beside ssl_keyfile", "set kafka.ssl_certfile")

    def _unused(self, key: str, protocols: str) -> Mistake:
        return Mistake(
            key,
            f"has no effect with security_protocol {self.security_protocol}",
            f"set kafka.security_protocol to {protocols}, or leave {key} out",
        )
