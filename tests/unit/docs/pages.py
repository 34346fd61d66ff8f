"""The pages written for people, taken apart: fences, tables, headings, links."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OPERATIONS = ROOT / "docs" / "operations.md"

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def fences(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the language and the text of each fenced block."""
    for found in _FENCE.finditer(page.read_text("utf-8")):
        yield found[1], found[2]


def links(page: Path) -> list[str]:
    """Return where the page's links lead, but for those to other sites."""
    prose = _FENCE.sub("", page.read_text("utf-8"))
    return [target for target in _LINK.findall(prose) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(page))
    return {heading.replace(" ", "-") for heading in plain}


def headings(page: Path) -> set[str]:
    """Return a page's headings."""
    return set(_HEADING.findall(_FENCE.sub("", page.read_text("utf-8"))))


def first_column(page: Path, heading: str) -> list[str]:
    """Return the first cell, without its quotes, of each row of the table under a heading."""
    _, _, below = page.read_text("utf-8").partition(f"\n## {heading}\n")
    section = re.split(r"^## ", below, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def commands(page: Path) -> Iterator[str]:
    """Yield each command line of the page's shell blocks and sessions that runs payevents."""
    for language, text in fences(page):
        if language not in {"sh", "console"}:
            continue
        for line in text.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("payevents ") and (language == "sh" or line.startswith("$ ")):
                yield command
