"""The files of deploy/, taken apart as far as the tests need."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return each instruction of a Dockerfile with its arguments on one line."""
    joined = re.sub(
        r"\\\n\s*", "", re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    )
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def pins(lock: Path) -> dict[str, frozenset[str]]:
    """Return the pinned requirements of a lock, each with its hashes."""
    found: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in lock.read_text().splitlines():
        if re.match(r"[a-z0-9]", line):
            current = found.setdefault(line.split()[0].rstrip("\\"), set())
        current.update(re.findall(r"--hash=(\S+)", line))
    return {name: frozenset(hashes) for name, hashes in found.items()}
