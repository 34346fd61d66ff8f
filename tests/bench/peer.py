"""Any other HTTP server, beside payevents: ``make bench PEER_URL=… PEER_HEADERS=…``.

It gets the same webhooks by the same load, and should run on the program core alone. Whether its
200s are durable cannot be known here, nor what processor time it uses, unless its process id is
given.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.bench.bench import Bench, Peer
from tests.bench.cores import PROGRAM_CORE
from tests.bench.measure import Findings, Line, interleaved, ratios
from tests.bench.receive.contenders import CONTENDERS, PAYEVENTS, Served, Site
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.rounds import rounds
from tests.bench.receive.steady import bear, compared
from tests.bench.receive.throughput import QUICK_SECONDS, SECONDS
from tests.bench.receive.traffic import Target
from tests.bench.receive.turns import Turns

PEER = "the peer"


async def measure(bench: Bench) -> Findings:
    """Compare with the server that ``bench.peer`` names.

    Raises:
        SystemExit: none is named, or its URL cannot be used.
    """
    if bench.peer is None:
        raise SystemExit("which peer? --peer-url URL names it")
    served = Served(target_of(bench.peer), bench.peer.pid, durable=False)
    bench.say(f"the peer should run on core {PROGRAM_CORE} alone, as payevents does")
    seconds = QUICK_SECONDS if bench.quick else SECONDS

    @asynccontextmanager
    async def peer(_: Site) -> AsyncIterator[Served]:
        yield served

    async with rounds(bench, {PAYEVENTS: CONTENDERS[PAYEVENTS], PEER: peer}) as running:
        turns = {
            name: Turns(running, name, Shape(seconds), _a_second) for name in (PAYEVENTS, PEER)
        }
        a_second = await interleaved(bench, {name: each.next for name, each in turns.items()})
        outcomes = {name: each.outcomes for name, each in turns.items()}
        borne = await bear(bench, running, (PAYEVENTS, PEER), seconds)
    lines = [Line("200s a second ÷ the peer", ratios(a_second[PAYEVENTS], a_second[PEER]))]
    if served.pid is not None:
        ours, theirs = ([run.a_cpu_second for run in outcomes[name]] for name in (PAYEVENTS, PEER))
        lines.append(Line("200s a CPU-second ÷ the peer", ratios(ours, theirs)))
    lines += [Line(name, values, unit="200s/s") for name, values in a_second.items()]
    return Findings([*lines, *compared(borne, PAYEVENTS, PEER)])


def target_of(peer: Peer) -> Target:
    """Return where the load goes.

    Raises:
        SystemExit: the URL is not one of plain HTTP, or a header has no colon.
    """
    url = urlsplit(peer.url)
    if url.scheme != "http" or url.hostname is None:
        raise SystemExit(f"the load speaks plain HTTP: {peer.url!r} does not begin with http://")
    headers = []
    for header in filter(None, (part.strip() for part in peer.headers.split(";"))):
        name, colon, value = header.partition(":")
        if not colon:
            raise SystemExit(f"{header!r} is no header: 'name: value; name: value'")
        headers.append((name.strip(), value.strip()))
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    return Target(url.port or 80, url.hostname, path, tuple(headers))


def _a_second(outcome: Outcome) -> float:
    return outcome.a_second
