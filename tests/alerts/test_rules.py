"""The alerting rules, as Prometheus takes them."""

import re
from pathlib import Path

import pytest
import yaml

from tests.alerts.promtool import promtool
from tests.support.watching import RULES, alerts

SCENES = Path(__file__).with_name("rules.test.yaml")
_ALERT = re.compile(r'alertname="(\w+)"')
_LABEL = re.compile(r"(\w+)=\"")


def shown() -> dict[str, set[str]]:
    """Return the alerts that the scenes expect to sound, each with the labels it then has."""
    samples = (
        sample["labels"]
        for scene in yaml.safe_load(SCENES.read_text("utf-8"))["tests"]
        for expected in scene["promql_expr_test"]
        for sample in expected["exp_samples"]
    )
    return {_ALERT.findall(sample)[0]: set(_LABEL.findall(sample)) for sample in samples}


def test_prometheus_takes_the_rules() -> None:
    """Their syntax and expressions are right, and all are read."""
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(alerts())} rules found" in done.stdout


def test_what_should_sound_does_and_nothing_else() -> None:
    """In each scene, from a day without trouble on, exactly the expected alerts fire."""
    done = promtool("test", "rules", SCENES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_every_alert_sounds_in_a_scene() -> None:
    """There is none that nobody has seen fire."""
    assert shown().keys() == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_what_it_says_is_filled_in(rule: dict[str, dict[str, str]]) -> None:
    """The labels that an alert's words name are labels that it has when it sounds."""
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    # An alarm of the whole has no account, and is then worded without.
    assert named <= shown()[str(rule["alert"])] | {"account"}


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("> 0.5 * payevents_spool_max_bytes", "> 5 * payevents_spool_max_bytes"),
        ("for: 5m", "for: 9m"),
    ],
)
def test_a_rule_that_is_wrong_would_be_found(broken: str, mended: str, tmp_path: Path) -> None:
    """The scenes fail with another threshold, and with another patience."""
    text = RULES.read_text("utf-8")
    assert broken in text
    (tmp_path / "rules.yaml").write_text(text.replace(broken, mended))
    scenes = SCENES.read_text("utf-8").replace("../../deploy/prometheus-rules.yaml", "rules.yaml")
    (tmp_path / "scenes.yaml").write_text(scenes)
    assert promtool("test", "rules", tmp_path / "scenes.yaml").returncode == 1
