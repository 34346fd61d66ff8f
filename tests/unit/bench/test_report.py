"""The report shows what was measured, whether it is enough, and keeps what was not run again."""

from pathlib import Path

import pytest

from tests.bench.measure import Curve, Findings, Goal, Line
from tests.bench.report import Report, Run, table

PAGE = "# Title\n\n<!-- figures: written by make bench -->\nold\n<!-- /figures -->\n\nThe end.\n"


def run(**found: Findings) -> Run:
    """Return a run that found this."""
    return Run(found, quick=False, stolen=0.0)


def test_a_missed_goal_is_told() -> None:
    """Nothing that misses its goal looks as if it met it."""
    text = table([Line("met", [2.0, 3.0], Goal(at_least=1.0)), Line("not", [2.0], Goal(at_most=1))])
    assert "| met | **2.50** | ≥ 1.00 | 2.00 - 3.00 (2) |" in text
    assert "| not | 2.00 (missed) | ≤ 1.00 | 1 |" in text


def test_the_page_keeps_its_words(tmp_path: Path) -> None:
    """Only what stands between the marks is written anew."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    Report(page, tmp_path / "figures").renew(run(a=Findings([Line("fast", [1.0])])))
    text = page.read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("<!-- /figures -->\n\nThe end.\n")
    assert "| fast | **1.00** |" in text
    assert "old" not in text


def test_findings_stay_until_they_are_measured_again(tmp_path: Path) -> None:
    """A run of one benchmark leaves the others' figures."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    report = Report(page, tmp_path / "figures")
    report.renew(run(a=Findings([Line("one", [1.0])]), b=Findings([Line("two", [2.0])])))
    report.renew(run(b=Findings([Line("two", [3.0], Goal(at_least=2))])))
    text = page.read_text()
    assert "| one | **1.00** |" in text
    assert "| two | **3.00** | ≥ 2.00 |" in text
    assert "| two | **2.00** |" not in text


def test_curves_are_drawn(tmp_path: Path) -> None:
    """Each curve is a picture of its own, the same for the same points."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    curve = Curve("growth", "Growth", "x", "y", {"s": [(1, 2.0), (10, 3.0)]}, log_x=True)
    report = Report(page, tmp_path / "figures")
    drawings = []
    for _ in range(2):
        report.renew(run(a=Findings([], [curve])))
        drawings.append((tmp_path / "figures" / "growth.svg").read_bytes())
    assert drawings[0] == drawings[1]
    assert b"<svg" in drawings[0]
    assert "![Growth](figures/growth.svg)" in page.read_text()


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    """Figures that could not be shown are an error."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n")
    with pytest.raises(ValueError, match="no lines"):
        Report(page, tmp_path / "figures").renew(run(a=Findings([])))
