"""Polling: what an unchanged poll costs beside a bare client loop, and a watch in memory."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from statistics import median

from tests.bench.bench import Bench
from tests.bench.measure import Curve, Findings, Goal, Line, by_size, interleaved, ratios, steepness
from tests.bench.poll.provider import StandIn
from tests.bench.poll.resources import resources
from tests.bench.poll.service import polling
from tests.bench.program import Program

CONCURRENCY = 64
WATCHES = 5_000
SECONDS = 3.0

ACCOUNTS = 4
MORE_ACCOUNTS = (3, 30, 300, 1_000)
FLAT = 1.15

IN_MEMORY = 1_000_000
TRANSACTIONS = 10
BYTES, BYTES_OF_A_TRANSACTION = 400, 16


async def measure(bench: Bench) -> Findings:
    """Measure unchanged polls, by themselves and as accounts grow in number, and memory."""
    polls = await _beside_the_bare_loop(bench)
    accounts = await _as_accounts_grow(bench)
    memory = await _memory(bench)
    return Findings([*polls.lines, *accounts.lines, *memory.lines], accounts.curves)


async def _beside_the_bare_loop(bench: Bench) -> Findings:
    seconds = SECONDS / 3 if bench.quick else SECONDS
    async with AsyncExitStack() as running:
        provider = await running.enter_async_context(StandIn())
        provider.show(resources(WATCHES, provider.base_url))
        provider.close()
        arguments = (provider.base_url, str(CONCURRENCY), str(WATCHES))
        bare = Program.module(bench, "tests.bench.poll.bare", *arguments)
        await running.enter_async_context(bare)
        ours = await running.enter_async_context(
            polling(bench, accounts=ACCOUNTS, watches=WATCHES, concurrency=CONCURRENCY)
        )

        async def of_the_bare_loop() -> float:
            before, began = provider.answered, bare.cpu_seconds()
            provider.open()
            await asyncio.sleep(seconds)
            provider.close()
            # Until it has read the last answers.
            await asyncio.sleep(0.2)
            return (bare.cpu_seconds() - began) * 1e6 / (provider.answered - before)

        found = await interleaved(
            bench, {"payevents": lambda: ours.microseconds(seconds), "bare": of_the_bare_loop}
        )
    return Findings(
        [
            Line(
                "unchanged polls per CPU-second ÷ bare client loop",
                ratios(found["bare"], found["payevents"]),
                Goal(at_least=0.7),
            ),
            Line("an unchanged poll", found["payevents"], unit="µs"),
            Line("a request of the bare client loop", found["bare"], unit="µs"),
        ]
    )


async def _as_accounts_grow(bench: Bench) -> Findings:
    """Measure the same watches, spread over more and more accounts."""
    seconds = SECONDS / 3 if bench.quick else SECONDS
    async with AsyncExitStack() as running:
        pollers = {}
        for accounts in MORE_ACCOUNTS:
            bench.say(f"{accounts} accounts")
            pollers[accounts] = await running.enter_async_context(
                polling(bench, accounts=accounts, watches=WATCHES, concurrency=CONCURRENCY)
            )
        costs = await by_size(
            bench, {each: partial(pollers[each].microseconds, seconds) for each in MORE_ACCOUNTS}
        )
    line = Line(
        f"a poll with {MORE_ACCOUNTS[0]} to {MORE_ACCOUNTS[-1]} accounts: dearest ÷ cheapest",
        steepness(costs),
        Goal(at_most=FLAT),
    )
    curve = Curve(
        "poll-accounts",
        "A poll as accounts grow in number",
        "accounts",
        "µs of CPU",
        {"a poll": [(accounts, median(values)) for accounts, values in costs.items()]},
        log_x=True,
    )
    return Findings([line], [curve])


async def _memory(bench: Bench) -> Findings:
    watches = bench.scaled(IN_MEMORY)
    plain = await _in_memory(bench, watches, 0)
    knowing = await _in_memory(bench, watches, TRANSACTIONS)
    goal = BYTES + BYTES_OF_A_TRANSACTION * TRANSACTIONS
    what = f"memory of a Subscriply watch that knows {TRANSACTIONS} transactions"
    return Findings(
        [
            Line("memory of a Voucherry watch", [plain["bytes"]], Goal(at_most=BYTES), "B"),
            Line(what, [knowing["bytes"]], Goal(at_most=goal), "B"),
            Line("scheduling a restored watch", [plain["scheduled"] / watches * 1e6], unit="µs"),
        ]
    )


async def _in_memory(bench: Bench, watches: int, transactions: int) -> dict[str, float]:
    """Return what a watch takes, and how long scheduling took, from a process of its own."""
    arguments = (str(watches), str(transactions))
    async with Program.module(bench, "tests.bench.poll.memory", *arguments) as program:
        return program.told
