"""A body that is waited for: what is left of it when its sender has gone."""

import gc
from collections.abc import Iterator
from types import FrameType

import pytest

from receiver.http.body import read_body
from tests.unit.receiver.http.load import head, listening


@pytest.fixture
def _garbage_is_kept() -> Iterator[None]:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.usefixtures("_garbage_is_kept")
async def test_what_broke_off_does_not_wait_for_the_garbage_collector() -> None:
    """A flood of such bodies would fill the memory before it comes by."""
    async with listening() as load:
        client = await load.begin(head(100) + b"half of it")
        client.writer.transport.abort()
        await load.until(lambda: not len(load.connections))
        await load.until(lambda: not load.pending)
    gc.collect()
    calls = [each.f_code for each in gc.garbage if isinstance(each, FrameType)]
    ours = read_body.__code__.co_filename
    assert [code.co_name for code in calls if code.co_filename == ours] == []
