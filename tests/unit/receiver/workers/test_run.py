"""A command with several workers that comes to nothing."""

import socket
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.settings import Settings
from receiver.roles import ALL_ROLES
from receiver.workers.run import supervise

REFUSES = (sys.executable, "-S", "-c", "raise SystemExit(2)")
"""A worker to which the configuration is wrong."""


def settings(http: int = 0, admin: int = 0) -> Settings:
    """Return settings with these ports."""
    return Settings.model_validate(
        {"http": {"host": "127.0.0.1", "port": http}, "admin": {"port": admin}}
    )


async def test_a_configuration_that_no_worker_takes_ends_the_whole() -> None:
    """It is not tried for ever: the exit code is theirs, and the log says why."""
    with capture_logs() as logs:
        assert await supervise(settings(), ALL_ROLES, 2, Path("wrong.toml"), program=REFUSES) == 2
    [told] = [line for line in logs if line["event"] == "no worker can be started: ending"]
    assert told["why"] == "it ended with 2"
    assert "serving" not in {line["event"] for line in logs}


@pytest.mark.parametrize("listener", ["http", "admin"])
async def test_a_port_that_is_taken_is_told_before_any_worker_starts(listener: str) -> None:
    """As by a single process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            await supervise(settings(**{listener: port}), ALL_ROLES, 2, None, program=("absent",))


async def test_a_program_that_is_not_there_is_told() -> None:
    """The system says why nothing can be started."""
    with capture_logs() as logs:
        assert await supervise(settings(), ALL_ROLES, 2, None, program=("/absent",)) == 1
    assert "/absent" in logs[-2]["why"]
