"""``payevents sandbox``, as a person at a terminal uses it."""

import asyncio
import json
import re
import signal
import sys
import tomllib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from urllib.request import Request, urlopen

import pytest

# Providers are found by entry point where the project is installed; here they are named.
COMMAND = """
import receiver.cli.sandbox
from handlers.voucherry import provider
receiver.cli.sandbox.installed_providers = lambda: {provider.name: provider}
from receiver.cli import main
main()
"""


async def run(*arguments: str) -> Process:
    """Start the command."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "sandbox", *arguments, stdout=PIPE, stderr=PIPE
    )


@pytest.fixture
async def sandbox() -> AsyncIterator[Process]:
    """Run a sandbox at a free port."""
    process = await run("voucherry")
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def introduction(process: Process) -> str:
    """Return what it prints before it waits."""
    assert process.stdout is not None
    said = b""
    while b"asked so far" not in said:
        said += await process.stdout.readuntil(b"\n")
    return said.decode() + (await process.stdout.readuntil(b"\n")).decode()


def fetch(url: str, method: str = "GET") -> object:
    """Return the JSON at a URL."""
    with urlopen(Request(url, method=method), timeout=10) as answer:  # noqa: S310 - on this machine
        return json.loads(answer.read())


async def test_it_shows_how_it_is_used_and_ends_in_order(sandbox: Process) -> None:
    """The account and the commands that it prints work as printed, and Ctrl-C ends it with 0."""
    said = await introduction(sandbox)
    snippet = said[said.index("[accounts.") : said.index("What can be caused")]
    account = tomllib.loads(snippet)["accounts"]["voucherry"]
    assert account["provider"] == "voucherry"
    assert account["auth_token"] == "token-of-voucherry"
    commands = re.findall(r"curl -X POST (\S+)", said)
    assert f"{account['base_url']}/_sandbox/create-request" in commands
    created = await asyncio.to_thread(
        fetch, f"{account['base_url']}/_sandbox/create-request", "POST"
    )
    assert isinstance(created, dict)
    assert created["status"] == "waiting_for_confirmation"
    shown = await asyncio.to_thread(fetch, f"{account['base_url']}/_sandbox")
    assert isinstance(shown, dict)
    assert {command.rpartition("/")[2] for command in commands} == set(shown["controls"])
    sandbox.send_signal(signal.SIGINT)
    assert await sandbox.wait() == 0


async def test_an_unknown_provider_is_named_with_the_known_ones() -> None:
    """A slip of the finger is told with what was meant."""
    process = await run("vouchery")
    _, said = await process.communicate()
    assert process.returncode == 2
    told = " ".join(said.decode().replace("│", " ").split())
    assert "there is no provider 'vouchery'; did you mean \"voucherry\"?" in told


async def test_a_port_in_use_is_said_so(sandbox: Process) -> None:
    """It ends with an error instead of a traceback."""
    port = re.findall(r"127\.0\.0\.1:([0-9]+)", await introduction(sandbox))[0]
    process = await run("voucherry", "--port", port)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"in use" in said
    assert b"Traceback" not in said
