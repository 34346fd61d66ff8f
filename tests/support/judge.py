"""The judge of what was published: exactly once, gapless, in order."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.kafka.reader import Record


@dataclass(slots=True)
class Verdict:
    """What is wrong with what was published; nothing, if all lists are empty."""

    events: list[dict[str, Any]] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not (self.twice or self.gaps or self.disorder or self.misplaced)

    def facts(self) -> Counter[tuple[str, str]]:
        """Return how often each (subject, action) was published."""
        return Counter((event["subject"], event["data"]["action"]) for event in self.events)


RANKS = {"created": 0, "failed": 1, "paid": 1, "cancelled": 3}


def judge(records: Iterable[Record]) -> Verdict:
    """Look at all event records, in partition order, as a consumer gets them."""
    verdict = Verdict()
    stories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    places: dict[str, set[tuple[str, int]]] = defaultdict(set)
    ids: Counter[str] = Counter()
    for record in records:
        assert record.value is not None
        assert record.key is not None
        event = json.loads(record.value)
        assert event["partitionkey"] == record.key.decode()
        ids[event["id"]] += 1
        key = event["partitionkey"]
        stories[key].append(event)
        places[key].add((record.topic, record.partition))
        verdict.events.append(event)
    verdict.twice = [event_id for event_id, count in ids.items() if count > 1]
    verdict.misplaced = [key for key, at in places.items() if len(at) > 1]
    for key, story in stories.items():
        sequences = [event["data"]["sequence"] for event in story]
        if sequences != list(range(1, len(story) + 1)):
            verdict.gaps.append(f"{key}: {sequences}")
        ranks = [RANKS[e["data"]["action"]] for e in story if not e["data"]["late"]]
        if ranks != sorted(ranks):
            verdict.disorder.append(f"{key}: {[e['type'] for e in story]}")
    return verdict
