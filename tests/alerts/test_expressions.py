"""What Grafana and the manual have Prometheus do, as Prometheus takes it."""

from pathlib import Path

import yaml

from tests.alerts.promtool import promtool
from tests.support.watching import expressions
from tests.unit.docs.pages import OPERATIONS, fences


def check(folder: Path, found: list[str]) -> str:
    """Return what promtool says against expressions; nothing, if they are right."""
    rules = [{"record": f"expression_{n}", "expr": each} for n, each in enumerate(found)]
    written = folder / "rules.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = promtool("check", "rules", written)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_expression_of_the_dashboard_is_one(tmp_path: Path) -> None:
    """Prometheus parses what each panel and variable asks."""
    found = [expression for _, expression in expressions()]
    assert len(found) > 40
    assert check(tmp_path, found) == ""


def test_a_wrong_expression_would_be_found(tmp_path: Path) -> None:
    """The check above knows PromQL."""
    assert "parse error" in check(tmp_path, ["sum(up"])


def test_the_manual_shows_a_configuration_that_prometheus_takes(tmp_path: Path) -> None:
    """The scrape job in docs/operations.md is right, and has the name that the rules know."""
    [shown] = [text for language, text in fences(OPERATIONS) if language == "yaml"]
    [job] = yaml.safe_load(shown)["scrape_configs"]
    assert job["job_name"] == "payevents"
    # Debian's promtool is built without Kubernetes: that part is not judged.
    assert job["kubernetes_sd_configs"] == [{"role": "pod"}]
    told = shown.replace("kubernetes_sd_configs:\n      - role: pod", "static_configs: []")
    (tmp_path / "prometheus.yaml").write_text(told)
    done = promtool("check", "config", "--syntax-only", tmp_path / "prometheus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
