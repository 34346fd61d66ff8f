"""The settings of what runs inside: spool, router, ledger, poller, events and observability."""

from pathlib import Path
from typing import Literal

import pydantic
from pydantic import Field

from config.group import Group
from config.types import ByteSize, Interval

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "console", "json"]


class SpoolSettings(Group):
    """The spool, which keeps webhooks on disk while Kafka does not take them."""

    directory: Path = Field(
        default=Path("/var/lib/payevents"),
        description="Where the spool is kept: a disk that outlives the process. Several processes"
        " may share it.",
    )
    max_bytes: ByteSize = Field(
        default=pydantic.ByteSize(2**30),
        description="How much one process may spool; webhooks get 503 beyond that.",
    )


class RouterSettings(Group):
    """The router, which turns observations into events."""

    batch: int = Field(
        default=2000,
        ge=1,
        description="How many observations go into one transaction at most. Transactions follow"
        " the load: each takes what has come by then, be it one observation.",
    )


class LedgerSettings(Group):
    """The ledger, which holds the facts already published."""

    retention: Interval | None = Field(
        default=None,
        description="How long a resource is remembered after its last event; for ever when unset."
        " Once set, what is older than this, or not dated, and not remembered, is a dead letter"
        " (`expired`), never an event.",
    )


class PollerSettings(Group):
    """The poller, which asks the providers."""

    batch: int = Field(
        default=500, ge=1, description="How many watch requests go into one transaction at most."
    )
    concurrency: int = Field(
        default=64, ge=1, description="How many requests this process has under way, in all."
    )
    max_response: ByteSize = Field(
        default=pydantic.ByteSize(8 * 2**20),
        description="The largest answer read from a provider; a larger one is a failure.",
    )


class EventSettings(Group):
    """The events themselves."""

    source_base: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9+.-]*:[!-~]*[^/\s]|/[!-~]*[^/\s]|)$",
        description="Put before every event's `source`, to tell deployments apart where several"
        " meet: a URI or an absolute path without a trailing slash.",
    )


class ObservabilitySettings(Group):
    """What the service tells about itself."""

    log_level: LogLevel = Field(default="info", description="The least important lines shown.")
    log_format: LogFormat = Field(
        default="auto",
        description="`console` for people, `json` for machines, one object a line; `auto` takes"
        " the console on a terminal and JSON elsewhere.",
    )
