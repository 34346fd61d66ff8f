"""What the page for authors of providers shows can be done as it is written there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from config.account import AccountSettings
from handlers.provider import BaseHandler, Handler
from tests.unit.docs.pages import ROOT, fences

PAGE = ROOT / "docs" / "providers.md"
TEXT = PAGE.read_text("utf-8")


def run_pytest(*arguments: str | Path, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pytest with this repository's settings, and the modules in ``path`` besides."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_provider_can_be_handed_in_as_it_is_written(tmp_path: Path) -> None:
    """The example, with a provider of that name beside it, runs the whole suite, and passes."""
    [example] = [text for _, text in fences(PAGE) if "ProviderConformance" in text]
    (tmp_path / "test_acme.py").write_text(example)
    (tmp_path / "acme.py").write_text("from handlers.voucherry import provider\n")
    done = run_pytest("-c", ROOT / "pyproject.toml", tmp_path / "test_acme.py", path=tmp_path)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 40


def test_the_suite_complains_of_a_provider_that_is_not_there() -> None:
    """To leave out all tests is an error that names the providers there are."""
    done = run_pytest("tests/conformance", "-k", "nobody")
    assert done.returncode == 4
    assert "smartpay, subscriply, voucherry" in done.stderr


def _hooks(base: type) -> set[str]:
    return {name for name in vars(base) if not name.startswith(("_", "model_"))}


def _named() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+`) \|", TEXT, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)", row)}


def test_every_method_of_a_handler_is_in_the_table() -> None:
    """So that nobody has to find out what a default costs."""
    assert _hooks(Handler) - {"account"} <= _named()
    assert _hooks(BaseHandler) - {"account"} <= _named()


def test_every_question_to_an_accounts_settings_is_in_the_table() -> None:
    """What the machine asks settings beside their keys."""
    keys = set(AccountSettings.model_fields)
    asked = {
        name for name in _hooks(AccountSettings) - keys if callable(getattr(AccountSettings, name))
    }
    assert len(asked) >= 7
    assert asked <= _named()
