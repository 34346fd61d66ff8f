"""What waits for the garbage collector: calls that ended, with all that they held."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def kept_garbage() -> Iterator[None]:
    """Keep from now on whatever only the garbage collector could free."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def calls_in_the_garbage(file: str) -> list[str]:
    """Return the names of the functions of a source file whose calls are in the garbage."""
    gc.collect()
    codes = [each.f_code for each in gc.garbage if isinstance(each, FrameType)]
    return [code.co_name for code in codes if code.co_filename == file]
