"""Keeps the golden files and the published schema: ``python -m tests.unit.handlers.pin``.

Without an argument it only says what differs, and exits with 1 if anything does.

``--write`` adds pins for new samples to ``golden/facts.json``, writes ``docs/schema``, and lets the
baseline of version 1 learn what was added to the schema. It never changes or removes a pin, and
never teaches the baseline a change that breaks readers: whoever means such a change must edit those
files by hand, knowing that every consumer will see it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handlers.schema import documents, event_json_schema

from .compat import breaks
from .samples import pins

_HERE = Path(__file__).parent
FACTS = _HERE / "golden" / "facts.json"
BASELINE = _HERE / "golden" / "payment-event-1.baseline.json"
SCHEMAS = _HERE.parents[2] / "docs" / "schema"


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, an empty one if there is no file."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def changed_pins(pinned: Mapping[str, str], made: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each pin that no longer holds."""
    for name, was in pinned.items():
        now = made.get(name, "nothing")
        if now != was:
            yield f"{name}: pinned as {was}, and now {now}"


def refusals() -> list[str]:
    """Return what ``--write`` will not do: changed pins, and changes that break readers."""
    changed = [f"{FACTS.name}: {line}" for line in changed_pins(read(FACTS), pins())]
    baseline = read(BASELINE)
    broken = breaks(baseline, event_json_schema()) if baseline else []
    return changed + [f"{BASELINE.name}: {line}" for line in broken]


def wanted() -> dict[Path, str]:
    """Return what each file should hold."""
    schemas = {SCHEMAS / name: text for name, text in documents().items()}
    facts = json.dumps({**pins(), **read(FACTS)}, indent=1) + "\n"
    return schemas | {FACTS: facts, BASELINE: json.dumps(event_json_schema(), indent=1) + "\n"}


def main(arguments: list[str]) -> int:
    """Say what differs; with ``--write`` bring the files up to date, unless that is refused."""
    refused = refusals()
    if refused:
        print("This would change what is already published:", *refused, sep="\n  ")  # noqa: T201 - a command
        return 1
    stale = {
        path: text
        for path, text in wanted().items()
        if not path.exists() or path.read_text() != text
    }
    for path, text in stale.items():
        if arguments == ["--write"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        print("written:" if arguments else "not current:", path)  # noqa: T201 - a command
    return 1 if stale and not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
