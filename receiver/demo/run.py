"""The demo from its beginning to its summary."""

import asyncio
import contextlib
import signal
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.logging import configure
from receiver.accounts.providers import installed_providers
from receiver.demo.broker import EmbeddedBroker, EmbeddedClients, NoBroker
from receiver.demo.screen import Screen, counters
from receiver.demo.stage import Stage, StageFailed
from receiver.demo.verdict import Numbers, Verdict
from receiver.kafka.clients import Clients
from receiver.kafka.topics import TopicsFailed

SETTLE_WITHIN = 20.0
"""Seconds for the last events to arrive once all stories are told."""

_REFRESH = 0.25
_QUIET = 1.5


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo is run. ``seconds`` None goes on until Ctrl-C."""

    seconds: float | None = None
    kafka_port: int | None = None
    bootstrap_servers: str | None = None


async def run_demo(options: DemoOptions, console: Console) -> int:
    """Run the demo; return 0 only if every event that was caused arrived exactly once."""
    with tempfile.TemporaryDirectory(prefix="payevents-demo-") as name:
        folder = Path(name)
        log = folder / "payevents.log"
        with log.open("w") as stream:
            configure(stream, "info", "json")
            try:
                return await _run(options, console, folder)
            except (NoBroker, StageFailed, TopicsFailed, KafkaError, OSError) as error:
                console.print(Text(f"error: {error}", style="red"))
                stream.flush()
                console.print(Text("".join(log.read_text().splitlines(keepends=True)[-5:])))
                return 1


async def _run(options: DemoOptions, console: Console, folder: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as opened:
        servers, prefix = options.bootstrap_servers, f"demo-{uuid4().hex[:8]}."
        make_clients = Clients
        if servers is None:
            console.print("starting the embedded broker (for show only: a kill loses its records)")
            broker = EmbeddedBroker(folder, options.kafka_port)
            servers, prefix = (await opened.enter_async_context(broker)).bootstrap_servers, ""
            make_clients = EmbeddedClients
        console.print("starting the sandboxes and the service …")
        stage = Stage(
            installed_providers(), servers, folder, prefix=prefix, make_clients=make_clients
        )
        await opened.enter_async_context(stage)
        _tell_how_to_follow(console, stage, servers, prefix)
        told = await _perform(stage, console, options.seconds, stop)
        return _summarise(stage, console, told)


async def _perform(
    stage: Stage, console: Console, seconds: float | None, stop: asyncio.Event
) -> frozenset[str]:
    """Tell the stories and show what comes of them, until the time is up or somebody stops it.

    Returns the accounts whose stories were told to their end: all, or none.
    """
    now = asyncio.get_running_loop().time
    begun = now()
    stories = asyncio.create_task(stage.tell_stories(), name="stories")
    with Screen(console, lambda: Numbers.of(stage.service.metrics)) as screen:
        told = False
        while not stop.is_set():
            await _wait(stop, _REFRESH)
            stage.check()
            screen.show(stage.audience.heard)
            if stories.done():
                stories.result()
                told = True
            if told and seconds is not None and now() >= begun + seconds:
                break
        stories.cancel()
        await asyncio.wait([stories])
        await _settle(stage, screen)
    return frozenset(stage.hosts) if told else frozenset()


async def _settle(stage: Stage, screen: Screen) -> None:
    """Wait until nothing is missing, and a moment longer for what would be too much."""
    now = asyncio.get_running_loop().time
    deadline = now() + SETTLE_WITHIN
    while now() < deadline and Verdict.of(stage.caused(), stage.audience.heard).missing:
        stage.audience.arrived.clear()
        await _wait(stage.audience.arrived, _REFRESH)
    await asyncio.sleep(_QUIET)
    stage.check()
    screen.show(stage.audience.heard)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _summarise(stage: Stage, console: Console, told: frozenset[str]) -> int:
    heard = stage.audience.heard
    verdict = Verdict.of(stage.caused(), heard, told=told)
    kinds = Table(title="events by type", title_justify="left")
    kinds.add_column("type")
    kinds.add_column("events", justify="right")
    for kind, count in sorted(Counter(event.type for event in heard.events).items()):
        kinds.add_row(kind, str(count))
    kinds.add_section()
    kinds.add_row("all", str(verdict.arrived))
    console.print(kinds)
    console.print(Text(counters(Numbers.of(stage.service.metrics))), soft_wrap=True)
    summary = f"the sandboxes caused {verdict.caused} facts, {verdict.arrived} events arrived: "
    if verdict.exactly_once:
        console.print(Text(f"{summary}each exactly once", style="bold green"), soft_wrap=True)
        return 0
    wrong = f"{len(verdict.missing)} missing, {len(verdict.repeated)} more than once"
    wrong += f", {len(verdict.unexplained)} that nobody caused"
    if verdict.silent:
        wrong += f", and nothing at all came of {', '.join(sorted(verdict.silent))}"
    console.print(Text(f"{summary}{wrong}", style="bold red"), soft_wrap=True)
    return 1


def _tell_how_to_follow(console: Console, stage: Stage, servers: str, prefix: str) -> None:
    topic = f"-t {prefix}payments.invoices"
    tail = f"PAYEVENTS_KAFKA__BOOTSTRAP_SERVERS={servers} "
    if prefix:
        tail += f"PAYEVENTS_KAFKA__TOPIC_PREFIX={prefix} "
    lines = [
        "follow the topics while this runs, in another terminal:",
        f"  {tail}payevents tail --from-beginning",
        f"  kcat -b {servers} -C -o beginning -X isolation.level=read_committed {topic}",
        f"look inside, in a browser: {stage.admin}/",
        f"  curl {stage.admin}/readyz   curl {stage.admin}/metrics",
        "cause events yourself (GET shows what there is):",
        *(
            f"  curl -X POST {host.base_url}/_sandbox/{host.sandbox.story[0].control}"
            for host in stage.hosts.values()
        ),
    ]
    console.print(Text("\n".join(lines)), soft_wrap=True)
