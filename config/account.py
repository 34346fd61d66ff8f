"""What the accounts of all providers have in common."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from pydantic import Field, field_validator

from config.group import Group
from config.problems import Mistake
from config.types import AccountName, Duration, Interval, Timeout
from config.urls import check_base_url, is_exposed_http


class AccountSettings(Group):
    """One account at one provider; each provider adds its own keys in a subclass.

    A field of type `SecretStr`, or a list of them, can also be given as `<key>_file`; the loader
    sees to that for any subclass.
    """

    name: AccountName = Field(
        description="The key of the account's table, or the stem of its file.",
        json_schema_extra={"set_by_loader": True},
    )
    provider: str = Field(description="The provider that this account is at.")
    base_url: str = Field(
        description="Where the provider's API is, without a trailing slash. https, unless the host"
        " is this machine or `allow_http` is set."
    )
    allow_http: bool = Field(
        default=False,
        description="Speak plain http with `base_url` although it is another machine. What is sent,"
        " keys and passwords too, can then be read on the way.",
    )
    poll_interval: Interval = Field(
        default=timedelta(minutes=1),
        description="How often a resource that may still change is looked at.",
    )
    backoff_min: Interval = Field(
        default=timedelta(seconds=1),
        description="The shortest pause after a failure; it doubles with each that follows, up to"
        " `backoff_max`.",
    )
    backoff_max: Interval = Field(
        default=timedelta(minutes=5),
        description="The longest pause between tries while the provider fails.",
    )
    calls: int = Field(
        default=60, ge=1, description="How many requests the provider gets at most in `calls_per`."
    )
    calls_per: Interval = Field(
        default=timedelta(minutes=1), description="The time in which `calls` are counted."
    )
    concurrency: int = Field(
        default=4, ge=1, description="How many requests to the provider are under way at once."
    )
    call_timeout: Timeout = Field(
        default=timedelta(seconds=30), description="How long one request may take in all."
    )
    watch_max_age: Duration = Field(
        default=timedelta(days=30),
        description="How long a resource is watched for its final state. A watch that has not"
        " ended by then is given up as stalled, with an alarm.",
    )

    # Not part of the field's type, so that a subclass which gives a default cannot lose it.
    _check_base_url = field_validator("base_url")(check_base_url)

    def credentials(self) -> tuple[str, ...]:
        """What the provider's API is signed in with, secrets in plain text: for keys made of it.

        Whatever changes here may be accepted where what was here before was refused.
        """
        return ()

    def has_strong_credentials(self) -> bool:
        """Whether nobody could guess the secrets in :meth:`credentials`: keys, not passwords.

        Only then what is encrypted with them may be kept where others read it.
        """
        return False

    def signing_key_fingerprints(self) -> frozenset[str]:
        """The sha256, in hexadecimal, of every key that may sign this account's webhooks.

        Two accounts may not share one: a body signed for one would count at the other.
        """
        return frozenset()

    def signing_key_names(self, at: datetime | None = None) -> Mapping[str, str]:  # noqa: ARG002
        """What people call each key that may sign webhooks at ``at``, or ever if no time is given.

        They are by what :attr:`handlers.observation.Observation.signed_with` says of the key.
        """
        return {}

    def import_start(self) -> datetime | None:
        """The time before which what happened gives no events; None if all that happened does."""
        return None

    def needs_public_url(self) -> bool:
        """Whether the provider is told by us where its webhooks lead."""
        return False

    def warnings(self) -> list[str]:
        """What works but should be known, and after "; " what to do; without the account's name."""
        if is_exposed_http(self.base_url):
            told = "base_url is plain http to another machine: credentials travel in the open"
            return [f"{told}; use https"]
        if self.allow_http:
            return ["allow_http is set but base_url does not need it; leave it out"]
        return []

    def mistakes(self) -> Iterable[Mistake]:
        """Plain http to another machine that nobody asked for."""
        if is_exposed_http(self.base_url) and not self.allow_http:
            yield Mistake(
                "base_url",
                "is plain http to another machine",
                "use https, or set allow_http = true on this account",
            )


class HistorySettings(AccountSettings):
    """An account at a provider that shows what happened before anyone asked it."""

    import_since: date | None = Field(
        default=None,
        description="What happened before this day (UTC) is only remembered: it gives no events."
        " Set it to the day of the first start; docs/operations.md has the details. All that is"
        " found is published when unset.",
    )

    def import_start(self) -> datetime | None:
        """The midnight with which the day begins."""
        day = self.import_since
        return None if day is None else datetime.combine(day, time(), UTC)

    def mistakes(self) -> Iterable[Mistake]:
        """A day to come: until then all that happens would be taken for history."""
        yield from super().mistakes()
        today = datetime.now(UTC).date()
        if self.import_since is not None and self.import_since > today:
            yield Mistake(
                "import_since",
                f"is {self.import_since}, which is yet to come: nothing would be published until"
                " then",
                f"write {today}, which is today in UTC, or an earlier day",
            )
