"""The pages hold together: their commands exist, their links lead somewhere, their events are."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handlers.fact import Fact
from handlers.resource import ResourceKey
from receiver.cli.app import app
from receiver.reference import reference
from tests.support.event_schema import is_valid
from tests.unit.docs.pages import PAGES, ROOT, anchors, commands, fences, links

COMMANDS = sorted({command for page in PAGES for command in commands(page)})
EVENTS = [
    json.loads(text)
    for page in PAGES
    for language, text in fences(page)
    if language == "json" and "specversion" in text
]


def runs(line: str) -> bool:
    """Tell whether the program knows the command and the options of a line, without running it."""
    _, *arguments = shlex.split(line, comments=True)
    return CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_can_be_run_as_written(line: str) -> None:
    """Every payevents command that a page shows is one that the program takes."""
    assert runs(line)


@pytest.mark.parametrize("line", ["payevents sevre", "payevents tail --form-beginning"])
def test_a_wrong_command_would_be_found(line: str) -> None:
    """The check above knows commands and options."""
    assert not runs(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file or a heading of this repository finds it."""
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event["type"]))
def test_example_events_are_real(event: dict[str, Any]) -> None:
    """An event that a page shows is valid by the published schema and has its fact's own id."""
    schema = json.loads((ROOT / "docs" / "schema" / "payment-event-1.json").read_text("utf-8"))
    assert is_valid(schema, event)
    data = event["data"]
    resource = ResourceKey(data["provider"], data["account"], *event["subject"].split("/"))
    assert event["id"] == str(Fact(resource, data["action"]).id)


def test_there_are_commands_and_events_to_check() -> None:
    """The pages were taken apart: nothing above passes for want of anything to look at."""
    assert {"payevents serve", "payevents check-config", "payevents topics create"} <= set(COMMANDS)
    assert len(EVENTS) == 2


def test_the_reference_of_settings_is_current() -> None:
    """The page is what `python -m receiver.reference docs/configuration.md` writes."""
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == reference()
