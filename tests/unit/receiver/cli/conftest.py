"""Commands run in this process configure its logging: each test gives it back."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, library = logging.getLogger(), logging.getLogger("aiokafka")
    before = (root.level, list(root.handlers), library.level)
    configured = structlog.get_config()
    yield
    root.level, root.handlers, library.level = before
    structlog.configure(**configured)
