"""A body that is waited for: what is left of it when its sender has gone."""

import pytest

from receiver.http import body
from tests.support.garbage import calls_in_the_garbage
from tests.unit.receiver.http.load import head, listening


@pytest.mark.usefixtures("garbage_is_kept")
async def test_what_broke_off_does_not_wait_for_the_garbage_collector() -> None:
    """A flood of such bodies would fill the memory before it comes by."""
    async with listening() as load:
        client = await load.begin(head(100) + b"half of it")
        client.writer.transport.abort()
        await load.until(lambda: not len(load.connections))
        await load.until(lambda: not load.pending)
    assert calls_in_the_garbage(body.__file__) == []
