"""`payevents dead-letters redrive`: what its exit code and its words say."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from handlers.observation import Position
from receiver.cli import redrive
from receiver.cli.app import app
from receiver.dead_letters.finding import Found, Listing
from receiver.dead_letters.outcome import Outcome, Outcomes
from receiver.dead_letters.redriving import Redriven, Sent
from tests.support.configuration import service_config

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = [
    Found("a", "bad-field", 1, NOW, 0, 0),
    Found("strange", "not-an-observation", 1, NOW, 0, 1),
]


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let there be the letters; return the ids of those that were described."""
    ids: list[list[str]] = []

    async def find(*_: object) -> list[Found]:
        return LETTERS

    async def describe(_: object, __: str, found: Sequence[Found], ___: int) -> Listing:
        ids.append([letter.id for letter in found])
        return Listing([], len(found))

    monkeypatch.setattr(redrive, "find_letters", find)
    monkeypatch.setattr(redrive, "describe", describe)
    return ids


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration whose Kafka nobody asks."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", tmp_path))
    return file


def run(config: Path, *arguments: str) -> Result:
    """Run the command in this process."""
    given = ["dead-letters", "redrive", *arguments, "--config", str(config)]
    return CliRunner().invoke(app, given)


def test_a_dry_run_refuses_what_the_run_would(config: Path, described: list[list[str]]) -> None:
    """Ids that there are not, and what never can be read, are errors before anything is sent."""
    done = run(config, "a", "strange", "nobody", "--dry-run")
    assert done.exit_code == 1
    assert "would be sent through the inbox again: 1\n" in done.stdout
    assert done.stderr.splitlines() == [
        "error: nobody: there is no such letter",
        "error: strange: it was not written by payevents and never can be read",
    ]
    assert described == [["a"]]
    told = json.loads(run(config, "a", "strange", "nobody", "--dry-run", "--json").stdout)
    assert told["refused"].keys() == {"nobody", "strange"}


def test_a_dry_run_of_what_can_be_sent_is_right(config: Path) -> None:
    """With a limit, what it leaves is no error; nor is anything else here."""
    done = run(config, "a", "nobody", "--limit", "1", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")


def test_letters_that_no_router_came_to_end_with_1(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was redriven yet, and the reader learns where to look."""

    @asynccontextmanager
    async def nothing(*_: object, **__: object) -> AsyncIterator[None]:
        yield None

    async def send(*_: object, **__: object) -> Redriven:
        return Redriven(sent=[Sent(LETTERS[0], Position("inbox", 0, 7), "digest")])

    async def wait(
        _: object, __: object, ___: object, outcomes: Outcomes, seconds: float
    ) -> list[Outcome]:
        assert seconds == 120
        return outcomes.told({0: 7})

    for name, replacement in {"appending": nothing, "following": nothing, "send": send}.items():
        monkeypatch.setattr(redrive, name, replacement)
    monkeypatch.setattr(redrive, "await_outcomes", wait)
    done = run(config, "a", "--timeout", "2m")
    assert done.exit_code == 1
    assert "no router has come to it: look at 'payevents serve' and its /readyz" in done.stdout
    assert "1 not routed yet" in done.stdout
