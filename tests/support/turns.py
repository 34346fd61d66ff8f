"""Counting the turns that others get while something long is under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


@asynccontextmanager
async def others() -> AsyncIterator["count[int]"]:
    """Run a task beside what the block does; the next of what is yielded is how often it ran."""
    turns = count()

    async def run() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0)

    beside = asyncio.create_task(run())
    try:
        yield turns
    finally:
        beside.cancel()
