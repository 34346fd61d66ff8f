"""How soon a process serves: from its start to the first durable 200; and ``--help``."""

import asyncio
import contextlib
import http.client
import os
import subprocess
import time
import urllib.request
from functools import partial
from http import HTTPStatus
from itertools import count

from tests.bench.bench import Bench
from tests.bench.deployment import Deployment, deployment
from tests.bench.measure import Findings, Goal, Line, interleaved
from tests.bench.program import payevents
from tests.kafka.reader import read_committed
from tests.support.webhooks import Webhook, invoice

TRY_EVERY = 0.002
GIVE_UP_AFTER = 60.0


async def measure(bench: Bench) -> Findings:
    """Measure on the program core, with Kafka and the topics there."""
    async with deployment(bench, http='drain_delay = "0s"') as there:
        starts = _Starts(bench, there)
        found = await interleaved(bench, {"start": starts.once, "help": partial(_help, bench)})
    note = f"{starts.spooled} of {len(found['start'])} first went to the spool, the others to Kafka"
    return Findings(
        [
            Line("start to first durable 200", found["start"], Goal(at_most=1.0), "s", note),
            Line("`payevents --help`", found["help"], Goal(at_most=0.3), "s"),
        ]
    )


class _Starts:
    """Starts the service anew each time; ``spooled`` counts the first 200s that the disk bore."""

    def __init__(self, bench: Bench, there: Deployment) -> None:
        self.spooled = 0
        self._there = there
        self._served = payevents(bench, there.config, name="start")
        self._numbers = count()

    async def once(self) -> float:
        """Return the seconds from the start of a process to its first 200, which is verified."""
        return await asyncio.to_thread(self._once)

    def _once(self) -> float:
        webhook = invoice(f"first-{next(self._numbers)}")
        argv = [*self._served.program, "serve", "--config", self._served.config]
        began = time.monotonic()
        process = subprocess.Popen(
            argv, stderr=subprocess.DEVNULL, env={**os.environ, **self._served.environment}
        )
        try:
            took = _first_answer(self._there, webhook, began)
            self.spooled += _was_spooled(self._there)
            read_committed(
                self._there.cluster.bootstrap_servers,
                [self._there.inbox],
                until=lambda records: any(record.value == webhook.body for record in records),
            )
        finally:
            process.terminate()
            process.wait()
        return took


def _first_answer(there: Deployment, webhook: Webhook, began: float) -> float:
    while time.monotonic() - began < GIVE_UP_AFTER:
        connection = http.client.HTTPConnection("127.0.0.1", there.port, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("POST", there.webhooks, webhook.body, webhook.headers())
            if connection.getresponse().status == HTTPStatus.OK:
                return time.monotonic() - began
        time.sleep(TRY_EVERY)
    raise TimeoutError(f"no webhook was taken within {GIVE_UP_AFTER} seconds")


def _was_spooled(there: Deployment) -> bool:
    lines = _metrics(there).splitlines()
    counted = [line for line in lines if line.startswith("payevents_spooled_total{")]
    return any(float(line.rpartition(" ")[2]) > 0 for line in counted)


def _metrics(there: Deployment) -> str:
    began = time.monotonic()
    while time.monotonic() - began < GIVE_UP_AFTER:
        # The admin listener starts after the public one.
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{there.admin_port}/metrics"
            with urllib.request.urlopen(url) as answer:
                body: bytes = answer.read()
                return body.decode()
        time.sleep(TRY_EVERY)
    raise TimeoutError(f"no metrics were shown within {GIVE_UP_AFTER} seconds")


async def _help(bench: Bench) -> float:
    served = payevents(bench, "", name="help")
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *served.program,
        "--help",
        stdout=subprocess.DEVNULL,
        env={**os.environ, **served.environment},
    )
    await process.wait()
    return time.monotonic() - began
