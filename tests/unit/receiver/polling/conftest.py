"""What the tests of the caller share."""

from collections.abc import AsyncIterator

import pytest

from .site import Calls, Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Serve a site."""
    site = Site()
    server = await site.start()
    yield site
    site.go_on.set()
    await server.stop()


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    """Start a caller with two slots."""
    calls = Calls(concurrency=2)
    await calls.caller.start()
    yield calls
    await calls.caller.close()
