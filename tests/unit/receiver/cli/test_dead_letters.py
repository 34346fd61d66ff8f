"""`payevents dead-letters list`: where nothing is found, a misspelt account is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from receiver.cli.app import app
from receiver.dead_letters import finding
from receiver.dead_letters.finding import Listing
from receiver.dead_letters.letter import DeadLetter
from tests.support.configuration import service_config

LETTER = DeadLetter("id", "gone", "webhook", "x", "not-json", "", 1, "", "", "")


def listed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, account: str, letters: Sequence[DeadLetter] = ()
) -> Result:
    """List what there is of an account, beside ``shop``, which is configured."""

    async def there_are(*_: object) -> Listing:
        return Listing(letters, 0)

    monkeypatch.setattr(finding, "list_letters", there_are)
    config = folder / "payevents.toml"
    config.write_text(service_config("127.0.0.1:9", "", folder))
    named = ["--account", account, "--config", str(config)]
    return CliRunner().invoke(app, ["dead-letters", "list", *named])


def test_an_account_that_is_not_configured_is_noted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may be misspelt, or be gone with its letters: no failure, but told."""
    done = listed(monkeypatch, tmp_path, "shopp")
    assert (done.exit_code, done.stdout) == (0, "there are no dead letters\n")
    assert done.stderr.startswith("note: ")
    assert "'shopp'" in done.stderr
    assert done.stderr.endswith("did you mean 'shop'?\n")
    assert listed(monkeypatch, tmp_path, "shop").stderr == ""
    left = listed(monkeypatch, tmp_path, "gone", [LETTER])
    assert (left.exit_code, left.stderr) == (0, "")
    assert "not-json" in left.stdout
