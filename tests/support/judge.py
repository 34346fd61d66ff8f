"""The judge of what was published where nobody kept a ledger of what was sent.

It is the chaos suite's checker, without what that checker does with such a ledger.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker import Findings, inspect
from tests.chaos.story import event_in
from tests.kafka.reader import Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was published, and what is wrong with it."""

    events: list[dict[str, Any]]
    findings: Findings

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return self.findings.clean

    def facts(self) -> Counter[tuple[str, str]]:
        """Return how often each (subject, action) was published."""
        return Counter((event["subject"], event["data"]["action"]) for event in self.events)


def judge(records: Iterable[Record]) -> Verdict:
    """Look at all event records, in partition order, as a consumer gets them."""
    records = list(records)
    documents = [json.loads(record.value or b"") for record in records]
    return Verdict(documents, inspect([event_in(record) for record in records]))
