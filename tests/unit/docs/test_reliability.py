"""docs/reliability.md names tests: each of them is there."""

import re

from tests.unit.docs.pages import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+(?:\.py)?)/?(?:::(\w+))?`", PAGE)


def test_every_named_test_is_there() -> None:
    """A promise whose test was renamed or removed is no promise."""
    for path, name in NAMED:
        place = ROOT / path
        assert place.exists(), path
        if name:
            assert re.search(rf"^(async )?def {name}\(", place.read_text("utf-8"), re.MULTILINE), (
                f"{path}::{name}"
            )


def test_every_promise_names_a_test() -> None:
    """Each row of the tables of promises names one, and they were taken apart."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "| held by" not in line]
    assert len(rows) > 15
    assert all("`tests/" in row for row in rows)
