"""The alerting rules and the dashboard of deploy/, taken apart."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.unit.deploy.files import DEPLOY

RULES = DEPLOY / "prometheus-rules.yaml"
DASHBOARD = DEPLOY / "grafana-dashboard.json"

_LABEL_VALUES = re.compile(r"label_values\((?P<selector>\{.*\}), (?P<label>\w+)\)")


def alerts(rules: Path = RULES) -> list[dict[str, Any]]:
    """Return the alerting rules."""
    groups = yaml.safe_load(rules.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard, without the headings of rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every PromQL expression, as Prometheus gets it, with where it stands."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], _filled_in(target["expr"])
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            found = _LABEL_VALUES.fullmatch(variable["definition"])
            assert found is not None, variable["definition"]
            yield variable["name"], f"count by ({found['label']}) ({_filled_in(found['selector'])})"


def _filled_in(expression: str) -> str:
    """Return an expression of the dashboard with Grafana's variables filled in."""
    filled = expression.replace("$__rate_interval", "1m").replace("$job", "payevents")
    filled = filled.replace("$account", ".*")
    assert "$" not in filled, f"a variable that the dashboard does not have: {expression}"
    return filled
