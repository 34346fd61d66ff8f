"""Measuring without a pause of one's own."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have no garbage collected meanwhile.

    What earlier rounds left is much to look through, and the pause would be taken for one of
    whoever is under test.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
