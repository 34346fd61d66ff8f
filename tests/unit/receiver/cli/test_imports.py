"""What the command imports: a subcommand pays for what it uses, and ``--help`` for nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.configuration import service_config

_TELL_MODULES = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from receiver.cli import main
main()
"""

HEAVY = {"aiohttp", "aiokafka", "asyncio", "cryptography", "orjson", "rich", "structlog"}


def imported(*arguments: str) -> set[str]:
    """Run the command; return the modules it had imported when it ended."""
    ended = subprocess.run(
        [sys.executable, "-c", _TELL_MODULES, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ended.stderr.splitlines()[-1]))


def stand_ins(modules: set[str]) -> set[str]:
    """Return those that belong to a provider's sandbox."""
    return {name for name in modules if name.startswith("handlers.") and ".sandbox" in name[9:]}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["serve", "--help"], ["dead-letters", "--help"], ["spool", "drain", "-h"]],
)
def test_help_imports_no_library_but_typer(arguments: list[str]) -> None:
    """Kafka, HTTP, the settings and what draws boxes would take longer than all the rest."""
    modules = imported(*arguments)
    assert modules & HEAVY == set()
    # Typer itself imports it to read a subcommand's options.
    assert "pydantic" not in modules or arguments != ["--help"]
    assert {name for name in modules if name.startswith(("config.", "handlers."))} == set()


def test_checking_the_configuration_speaks_to_nobody(tmp_path: Path) -> None:
    """It imports the providers' settings, and neither Kafka, nor HTTP, nor a sandbox."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", tmp_path))
    modules = imported("check-config", "--config", str(file))
    assert "handlers.smartpay.settings" in modules
    assert modules & {"aiohttp", "aiokafka", "cryptography", "rich", "structlog"} == set()
    assert stand_ins(modules) == set()


def serving(*more: str) -> set[str]:
    """Return what is imported until webhooks are taken, and by ``more`` modules after that."""
    code = (
        f"import {', '.join(['sys', 'receiver.cli.serving', *more])};"
        "from receiver.accounts.providers import installed_providers; installed_providers();"
        "print('\\n'.join(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_serving_imports_neither_a_stand_in_nor_what_people_ask_for_later() -> None:
    """Sandboxes are for others, the demo too, and explaining begins with the first question."""
    modules = serving("receiver.machinery")
    assert "receiver.shards.membership" in modules
    assert modules & {"receiver.explaining.story", "receiver.demo", "receiver.sandbox"} == set()
    assert stand_ins(modules) == set()


def test_webhooks_wait_for_no_import_that_they_can_do_without() -> None:
    """Routing, polling and the admin listener are imported once the public one listens."""
    modules = serving()
    assert "receiver.http.public" in modules
    packages = {".".join(name.split(".")[:2]) for name in modules}
    assert packages & {"receiver.routing", "receiver.polling", "receiver.shards"} == set()
    assert modules & {"receiver.machinery", "receiver.http.admin", "cryptography"} == set()


def test_help_shows_whole_sentences() -> None:
    """No command's first sentence ends in the middle: that is what people look for it by."""
    shown = subprocess.run(
        [sys.executable, "-c", "from receiver.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = " ".join(shown.split())
    assert "Name every mistake in the configuration, and what should be known about it." in words
    assert shown.count("...") == 1, "in the usage alone"
    assert max(map(len, shown.splitlines())) <= 80
