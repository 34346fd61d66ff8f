"""The checker: every fact that was acknowledged is published once, in place, in order, unchanged.

It is pure: what was sent and what was read go in, findings come out. It has no tolerance for
anything; when to read, and how long to wait before, is its caller's affair.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from tests.chaos.story import Event, Fact, event_in, stories
from tests.kafka.reader import Record

SHOWN = 5
"""How many findings of each kind are written out."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: the facts that it asserts, each with the amount that its event must state.

    Amounts are in minor units, None for none. ``acknowledged`` must be published; ``unsure`` was
    sent and never answered 200, and may be published or not. A fact in both is acknowledged.
    """

    acknowledged: Mapping[Fact, int | None]
    unsure: Mapping[Fact, int | None] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """What is wrong with what was published, each entry a line for people; and the counts.

    - ``lost``: acknowledged and never published
    - ``duplicated``: an event id that was published more than once
    - ``invented``: published, but never sent
    - ``gaps``: a resource whose sequence is not 1, 2, 3, … in partition order
    - ``disorder``: an event behind a later fact and not marked ``late``, or marked without being so
    - ``wrong_amount``: another amount than was sent
    - ``misplaced``: a resource in two partitions or topics, or under another record key
    - ``wrong_id``: a fact that was sent, published under an id that is not its own
    - ``unstable``: read while the run went on, and not, or elsewhere, in the log at the end
    """

    events: int = 0
    resources: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    wrong_amount: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    wrong_id: list[str] = field(default_factory=list)
    unstable: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[str]]:
        """Return the lists by their names."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, list)}

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not any(self.by_kind().values())

    def __str__(self) -> str:
        """Return how many findings of each kind there are, and the first few of them."""
        lines = [f"{self.events} events of {self.resources} resources"]
        for kind, found in self.by_kind().items():
            lines.append(f"{kind.replace('_', ' ')}: {len(found)}")
            lines += [f"  {line}" for line in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"  and {len(found) - SHOWN} more")
        return "\n".join(lines)


def check(records: Iterable[Record], sent: Sent) -> Findings:
    """Hold what was read, in partition order, against what was sent.

    Raises:
        ValueError, KeyError: a record that is not an event.

    """
    return check_events([event_in(record) for record in records], sent)


def check_events(events: Sequence[Event], sent: Sent) -> Findings:
    """Hold events, in partition order, against what was sent."""
    findings = inspect(events)
    expected = {fact.id: amount for fact, amount in {**sent.unsure, **sent.acknowledged}.items()}
    named = {(fact.key, fact.action) for fact in (*sent.acknowledged, *sent.unsure)}
    for event in events:
        if event.id in expected:
            _check_amount(event, expected[event.id], findings)
        elif (event.key, event.action) in named:
            findings.wrong_id.append(str(event))
        else:
            findings.invented.append(str(event))
    published = {event.id for event in events}
    findings.lost = [str(fact) for fact in sent.acknowledged if fact.id not in published]
    return findings


def inspect(events: Sequence[Event]) -> Findings:
    """Find what is wrong with events in themselves, whatever was sent."""
    findings = Findings(events=len(events))
    times = Counter(event.id for event in events)
    findings.duplicated = [str(event) for event in events if times[event.id] > 1]
    for key, story in stories(events).items():
        findings.resources += 1
        _check_story(key, story, findings)
    return findings


def unstable(live: Sequence[Event], final: Sequence[Event]) -> list[str]:
    """Return where what a consumer read as it came differs from what is in the log in the end."""
    was = {(event.place, event.offset): event for event in live}
    now = {(event.place, event.offset): event for event in final}
    gone = [f"{event}: read, and not there any more" for at, event in was.items() if at not in now]
    missed = [f"{event}: there, and never read" for at, event in now.items() if at not in was]
    other = [
        f"{event}: read, and now {now[at]}"
        for at, event in was.items()
        if at in now and event != now[at]
    ]
    return [*gone, *missed, *other]


def _check_amount(event: Event, amount: int | None, findings: Findings) -> None:
    if event.minor_units != amount:
        findings.wrong_amount.append(f"{event}: {event.minor_units} instead of {amount}")


def _check_story(key: str, story: list[Event], findings: Findings) -> None:
    sequences = [event.sequence for event in story]
    if sequences != list(range(1, len(story) + 1)):
        findings.gaps.append(f"{key}: {sequences}")
    places = {event.place for event in story}
    if len(places) > 1:
        findings.misplaced.append(f"{key} in {sorted(places)}")
    for number, event in enumerate(story):
        if event.record_key != key.encode():
            findings.misplaced.append(f"{event} under the key {event.record_key!r}")
        overtaken = any(earlier.order_key > event.order_key for earlier in story[:number])
        if overtaken != event.late:
            findings.disorder.append(f"{event}: {'not marked' if overtaken else 'is not'} late")
