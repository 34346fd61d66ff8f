"""What tests of the machine share."""

from collections.abc import Iterator

import pytest

from tests.support.garbage import kept_garbage


@pytest.fixture
def garbage_is_kept() -> Iterator[None]:
    """Keep what only the garbage collector could free, for ``calls_in_the_garbage``."""
    with kept_garbage():
        yield
