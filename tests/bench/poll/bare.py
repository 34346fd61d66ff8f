"""``python -m tests.bench.poll.bare BASE_URL CONCURRENCY COUNT``: the least a poller can do.

It asks for the resources 0 to COUNT, round and round, reads each answer and makes nothing of it.
"""

import asyncio
import sys
from collections.abc import Iterator
from itertools import cycle

import aiohttp
import uvloop

HEADERS = {"authorization": "Basic dG9rZW46", "accept": "application/json"}


async def _ask(session: aiohttp.ClientSession, urls: Iterator[str]) -> None:
    for url in urls:
        async with session.get(url, headers=HEADERS) as answer:
            await answer.read()


async def _run(urls: Iterator[str], concurrency: int) -> None:
    async with aiohttp.ClientSession() as session:
        sys.stdout.write("{}\n")
        await asyncio.gather(*(_ask(session, urls) for _ in range(concurrency)))


if __name__ == "__main__":
    base_url, concurrency, resources = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    known = [f"{base_url}/cherries_requests/{each}" for each in range(resources)]
    uvloop.run(_run(cycle(known), concurrency))
