"""All settings of one process."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SerializeAsAny

from config.account import AccountSettings
from config.group import Group
from config.kafka import KafkaSettings
from config.listeners import AdminSettings, HttpSettings
from config.machine import (
    EventSettings,
    LedgerSettings,
    ObservabilitySettings,
    PollerSettings,
    RouterSettings,
    SpoolSettings,
)
from config.problems import Mistake
from config.topics import Route, Topics
from config.types import Interval

_LONGEST_TOPIC = 249
"""How long a topic's name may be, in characters: Kafka's own limit."""


class Settings(Group):
    """Everything that is set, by group."""

    http: HttpSettings = Field(default=HttpSettings(), description="The public listener.")
    admin: AdminSettings = Field(default=AdminSettings(), description="The private listener.")
    kafka: KafkaSettings = Field(default=KafkaSettings(), description="The Kafka cluster.")
    spool: SpoolSettings = Field(default=SpoolSettings(), description="The spool.")
    router: RouterSettings = Field(default=RouterSettings(), description="The router.")
    ledger: LedgerSettings = Field(default=LedgerSettings(), description="The ledger.")
    poller: PollerSettings = Field(default=PollerSettings(), description="The poller.")
    event: EventSettings = Field(default=EventSettings(), description="The events.")
    observability: ObservabilitySettings = Field(
        default=ObservabilitySettings(), description="Logs."
    )
    accounts_dir: Path | None = Field(
        default=None,
        description="A folder with one file per account, `<name>.toml`, that holds what the"
        " account's table would hold. Files may come, change and go while the service runs.",
    )
    accounts_dir_interval: Interval = Field(
        default=timedelta(seconds=5), description="How often `accounts_dir` is looked at."
    )
    routes: tuple[Route, ...] = Field(
        default=(),
        description="Routes that are tried, in this order, before the default ones: test events to"
        " `payments.test`, and live ones to `payments.invoices`, `payments.orders`,"
        " `payments.transactions` (charge, refund) and `payments.transfers` (transfer,"
        " transfer_request).",
    )
    accounts: Mapping[str, SerializeAsAny[AccountSettings]] = Field(
        default={}, description="The accounts by name, also those from `accounts_dir`."
    )
    directory_accounts: frozenset[str] = Field(
        default=frozenset(),
        description="The names of the accounts that come from `accounts_dir`.",
        json_schema_extra={"set_by_loader": True},
    )

    @property
    def topics(self) -> Topics:
        """Every topic's full name, and the way of events to them; made anew at each call."""
        return Topics.named(self.kafka.topic_prefix, self.routes)

    def warnings(self) -> list[str]:
        """What works but should be known: the place, what is so, and after "; " what to do."""
        told = [f"kafka: {warning}" for warning in self.kafka.warnings()]
        if self.ledger.retention is not None:
            told.append(
                "ledger.retention: what a provider does not date is a dead letter from now on; see"
                " 'expired' in docs/operations.md"
            )
        for name, account in self.accounts.items():
            told.extend(f"accounts.{name}: {warning}" for warning in account.warnings())
        if self.http.public_url is None:
            told.extend(
                f"accounts.{name}: manage_webhooks needs http.public_url, which is not set: no"
                " webhook will be registered; set it"
                for name in sorted(self.directory_accounts)
                if self.accounts[name].needs_public_url()
            )
        if not self.accounts and self.accounts_dir is None:
            told.append(
                "accounts: there are none, and no accounts_dir: nothing will be received; add one"
            )
        return told

    def mistakes(self) -> Iterable[Mistake]:
        """Names of topics that Kafka would not take."""
        for index, route in enumerate(self.routes):
            if len(self.kafka.topic_prefix + route.topic) > _LONGEST_TOPIC:
                yield Mistake(
                    f"routes.{index}.topic",
                    f"is longer than {_LONGEST_TOPIC} characters with its prefix",
                    "shorten it or kafka.topic_prefix",
                )
