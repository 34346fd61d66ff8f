"""``payevents sandbox``."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from shlex import quote

import typer
import uvloop

from config.logging import configure
from config.problems import one_of
from handlers.sandbox import Sandbox
from receiver.accounts.providers import installed_providers
from receiver.cli.context import fail
from receiver.failures import without_path
from receiver.sandbox.host import CONTROLS_PATH, SandboxHost
from receiver.sandbox.snippet import as_toml, offered


def run(provider: str, port: int, subscribe: str | None) -> int:
    """Serve a provider's sandbox until Ctrl-C or SIGTERM; return the exit code."""
    providers = installed_providers()
    if provider not in providers:
        told = f"there is no provider {provider!r}; {one_of(provider, providers)}"
        raise typer.BadParameter(told, param_hint="PROVIDER")
    sandbox = providers[provider].sandbox()
    if subscribe is not None:
        sandbox.subscribe(subscribe)
    configure(sys.stderr)
    try:
        uvloop.run(_serve(sandbox, provider, port))
    except OSError as error:
        raise fail(without_path(error)) from None
    return 0


async def _serve(sandbox: Sandbox, provider: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SandboxHost(sandbox, port=port) as host:
        for line in _introduction(host, provider):
            typer.echo(line)
        await stop.wait()


def _introduction(host: SandboxHost, provider: str) -> Iterator[str]:
    yield f"A {provider} sandbox is at {host.base_url} until Ctrl-C. It accepts this account:\n"
    account = host.sandbox.account(provider, host.base_url)
    yield as_toml(account) + offered(account)
    yield "What can be caused there; each argument is added as -d name=value:"
    for name, control in host.sandbox.controls.items():
        yield f"\n{control.help}"
        for argument, meaning in control.arguments.items():
            yield f"    {argument}: {meaning}"
        yield f"  curl -X POST {quote(f'{host.base_url}{CONTROLS_PATH}/{name}')}"
    yield f"\nWhat it was asked so far:\n  curl {host.base_url}{CONTROLS_PATH}\n"
