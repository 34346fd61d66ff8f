"""Which dead letters are meant: by id, reason, account, origin and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from handlers.clock import from_rfc3339
from handlers.letters import Reason
from handlers.observation import Origin
from receiver.dead_letters.letter import DeadLetter
from receiver.moments import moment_from

FILTERS = ("reason", "account", "origin", "since", "until")
"""The names of the filters, as options, query parameters and JSON fields."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class BadCriterion(ValueError):
    """A filter cannot be what it is; ``field`` names it, ``str()`` says why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a letter must be like; None leaves it open. Times are those when it last came."""

    ids: frozenset[str] | None = None
    reason: str | None = None
    account: str | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def match(self, letter: DeadLetter) -> bool:
        """Tell whether the letter is meant."""
        return (
            (self.ids is None or letter.id in self.ids)
            and self.reason in {None, letter.reason}
            and self.account in {None, letter.account}
            and self.origin in {None, letter.origin}
            and (self.since is None or self.since <= last_at(letter))
            and (self.until is None or last_at(letter) <= self.until)
        )


def criteria_from(filters: Mapping[str, object], now: datetime) -> Criteria:
    """Return the criteria in filters by name; those that are None or not there are left open.

    Raises:
        BadCriterion: one is not text, an unknown reason or origin, or no time.
    """
    given = {name: filters.get(name) for name in FILTERS}
    text = {name: value for name, value in given.items() if isinstance(value, str)}
    for name, value in given.items():
        if value is not None and name not in text:
            raise BadCriterion(name, "it must be text")
    return Criteria(
        reason=_one_of(text, "reason", Reason),
        account=text.get("account"),
        origin=_one_of(text, "origin", Origin),
        since=_moment(text, "since", now),
        until=_moment(text, "until", now),
    )


def last_at(letter: DeadLetter) -> datetime:
    """Return when the letter last came; one that does not say is older than any."""
    try:
        return from_rfc3339(letter.last_at)
    except ValueError:
        return _NEVER


def _one_of(text: Mapping[str, str], name: str, known: type[Reason | Origin]) -> str | None:
    value = text.get(name)
    if value is None or value in set(known):
        return value
    raise BadCriterion(name, f"{value[:50]!r} is none of {', '.join(known)}")


def _moment(text: Mapping[str, str], name: str, now: datetime) -> datetime | None:
    if name not in text:
        return None
    try:
        return moment_from(text[name], now, end=name == "until")
    except ValueError as error:
        raise BadCriterion(name, str(error)) from None
