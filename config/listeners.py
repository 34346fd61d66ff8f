"""The settings of the two HTTP listeners."""

from collections.abc import Iterable
from datetime import timedelta

import pydantic
from pydantic import Field, SecretStr

from config.group import Group
from config.problems import Mistake
from config.types import ByteSize, Duration, Port, Timeout
from config.urls import BaseUrl, is_exposed_http, is_loopback

_LONGEST_DRAIN = timedelta(seconds=20)
_BODIES_PENDING = 8
"""A quarter of `max_pending` is for what arrives: it must hold the largest body, and others."""


class HttpSettings(Group):
    """The public listener, which takes webhooks."""

    host: str = Field(default="0.0.0.0", description="The address to listen on.")  # noqa: S104 - webhooks come from outside
    port: Port = Field(default=8080, description="The port to listen on; 0 takes a free one.")
    public_url: BaseUrl | None = Field(
        default=None,
        description="Where providers reach this listener from outside; webhooks are registered"
        " below it, at `/webhooks/<account>`.",
    )
    probe_public_url: bool = Field(
        default=True,
        description="Before a webhook is registered, see that `public_url` leads to a receiver from"
        " where the poller runs. Switch it off where it can only be reached from outside.",
    )
    allow_http: bool = Field(
        default=False,
        description="Accept a `public_url` that is plain http although it is not this machine.",
    )
    max_body: ByteSize = Field(
        default=pydantic.ByteSize(256 * 1024),
        description="The largest body taken; a larger one gets 413.",
    )
    body_timeout: Timeout = Field(
        default=timedelta(seconds=10),
        description="How long a body may take to arrive; a slower one gets 408.",
    )
    answer_within: Timeout = Field(
        default=timedelta(seconds=5),
        description="How long a provider is taken to wait for an answer: a later 200 is counted as"
        " undeliverable. SmartPay does not say how long it waits.",
    )
    head_timeout: Timeout = Field(
        default=timedelta(seconds=10),
        description="How long a connection may take to send a request's head; a slower one is"
        " closed.",
    )
    max_pending: ByteSize = Field(
        default=pydantic.ByteSize(64 * 2**20),
        description="How many bytes of unanswered requests are held in memory: a quarter for what"
        " is still arriving, the rest for webhooks that wait for Kafka or the disk. Beyond that,"
        " webhooks get 503.",
    )
    max_connections: int = Field(
        default=12_000,
        ge=1,
        description="How many connections are open at once, as far as the limit on open files"
        " allows; beyond that, the longest idle are closed for new ones.",
    )
    keepalive_timeout: Duration = Field(
        default=timedelta(seconds=15), description="How long an idle connection is kept open."
    )
    drain_delay: Duration = Field(
        default=timedelta(seconds=5),
        description="How long requests are still taken after SIGTERM, while load balancers notice"
        " that the service is going. At most 20s.",
    )

    def mistakes(self) -> Iterable[Mistake]:
        """A public URL in the open, no room for a body, or a shutdown that takes too long."""
        if self.public_url and is_exposed_http(self.public_url) and not self.allow_http:
            yield Mistake(
                "public_url",
                "is plain http to another machine",
                "use https, or set http.allow_http = true",
            )
        if self.max_pending < _BODIES_PENDING * self.max_body:
            yield Mistake(
                "max_pending",
                f"is less than {_BODIES_PENDING} times max_body",
                "raise max_pending, or lower max_body",
            )
        if self.drain_delay > _LONGEST_DRAIN:
            yield Mistake(
                "drain_delay", "is longer than 20s", "the service must be able to end within 30s"
            )


class AdminSettings(Group):
    """The private listener: health, metrics, and the API for watches, dead letters and stories."""

    host: str = Field(
        default="127.0.0.1",
        description="The address to listen on. Anything but this machine needs `token`.",
    )
    port: Port = Field(default=8081, description="The port to listen on; 0 takes a free one.")
    token: SecretStr | None = Field(
        default=None,
        description="The bearer token that everything but health and metrics asks for.",
    )

    def mistakes(self) -> Iterable[Mistake]:
        """An admin API that anyone could use."""
        if self.token is None and not is_loopback(self.host):
            yield Mistake(
                "token",
                f"is missing, and admin.host {self.host!r} can be reached from other machines",
                "set admin.token or admin.token_file, or listen on 127.0.0.1",
            )
