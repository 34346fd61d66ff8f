"""The alerting rules and the dashboard, held against what the service exports and the manual."""

import re
from collections.abc import Iterator

import pytest

from receiver.observability.alarms import TICKETS
from tests.support.metrics import exported
from tests.support.watching import alerts, dashboard, expressions, panels
from tests.unit.docs.pages import OPERATIONS, headings

OF_THE_TARGET = {"job", "instance", "pod"}
"""Labels that Prometheus gives to whatever it scrapes."""
OF_WORKERS = {"worker"}
"""The label that each sample of one of several workers has."""

_METRIC = re.compile(r"\b(?:payevents_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+) *(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring) \(([^)]*)\)")


def named(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that an expression names, with the labels that it matches."""
    outside = re.sub(r'__name__=~"[^"]*"', "", expression)
    for found in _METRIC.finditer(outside):
        yield found[0].partition("{")[0], set(_MATCHER.findall(found[1] or ""))


async def test_they_name_only_metrics_and_labels_that_there_are() -> None:
    """Every metric is exported, with the labels that it is asked for."""
    known = {name: {*labels} for name, labels in exported().items()}
    for histogram in ("payevents_webhook_seconds", "payevents_routing_seconds"):
        known[f"{histogram}_bucket"] = {"le"}
    known["up"] = set()
    for place, expression in expressions():
        labels = {label for _, matched in named(expression) for label in matched}
        for name, matched in named(expression):
            assert name in known, f"{place}: {name}"
            assert matched <= known[name] | OF_THE_TARGET | OF_WORKERS, f"{place}: {name}"
            labels |= known[name]
        grouped = {
            label for group in _GROUPED.findall(expression) for label in group.split(", ") if label
        }
        there = labels | OF_THE_TARGET | OF_WORKERS
        assert grouped <= there or place in {"job", "account"}, f"{place}: {grouped - there}"


async def test_what_chooses_among_metrics_chooses_some() -> None:
    """A pattern of names in a variable of the dashboard matches metrics that have its label."""
    for place, expression in expressions():
        for pattern in re.findall(r'__name__=~"([^"]*)"', expression):
            chosen = [name for name in exported() if re.fullmatch(pattern, name)]
            assert len(chosen) == pattern.count("|") + 1, f"{place}: {pattern}"
            if place == "account":
                assert all("account" in exported()[name] for name in chosen)


@pytest.mark.parametrize(
    "expression",
    ["sum(payevents_webhook_total)", 'payevents_alarm{kode="x"}', "max by (kode) (up)"],
)
async def test_a_wrong_name_would_be_found(
    expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above knows the names of metrics and labels."""
    monkeypatch.setitem(globals(), "expressions", lambda: [("somewhere", expression)])
    with pytest.raises(AssertionError, match="somewhere"):
        await test_they_name_only_metrics_and_labels_that_there_are()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_to_do(rule: dict[str, object]) -> None:
    """It has a patience, an urgency, and words that point to headings of the manual."""
    assert rule["for"]
    labels, annotations = rule["labels"], rule["annotations"]
    assert isinstance(labels, dict)
    assert isinstance(annotations, dict)
    assert labels["severity"] in {"page", "ticket"}
    assert annotations["summary"]
    pointer = annotations["description"].partition(" See ")[2]
    assert pointer.endswith("docs/operations.md.")
    pointed = re.findall(r'"([^"]+)"', pointer)
    assert pointed
    assert {*pointed} <= headings(OPERATIONS)


def test_alarms_have_the_urgency_that_the_program_says() -> None:
    """Those that can wait are the program's, in the rules and on the dashboard; the rest pages."""
    found = [
        (operator, {*codes.split("|")})
        for _, expression in expressions()
        for operator, codes in re.findall(r'code(=~|!~)"([^"]+)"', expression)
    ]
    assert {operator for operator, _ in found} == {"=~", "!~"}
    assert all(codes == TICKETS for _, codes in found)


def test_the_dashboard_can_be_provisioned() -> None:
    """It has what Grafana wants: a schema, ids that differ, and a source of data to choose."""
    board = dashboard()
    assert board["schemaVersion"] >= 36
    assert board["uid"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]


def test_panels_do_not_overlap() -> None:
    """Each panel has a place of its own, within the 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
