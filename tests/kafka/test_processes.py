"""What happens to processes that end when they should not, without any broker."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.guard import GuardedGroup
from tests.kafka.node import Node, NodeDiedError, PortTakenError

ORPHAN = """
import os, signal, subprocess
from tests.kafka.guard import GuardedGroup
group = GuardedGroup()
subprocess.Popen(["sleep", "600"], process_group=group.id)
print("started", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def group() -> Iterator[int]:
    """Return the id of a process group that ends with the test."""
    guarded = GuardedGroup()
    yield guarded.id
    guarded.close()


def shell(script: str) -> list[str]:
    """Return a command that, followed by a Java program's arguments, runs `script`."""
    return ["sh", "-c", script]


def check_until_it_ends(node: Node) -> None:
    """Check a node until it is found dead."""
    while node.running:
        node.check()


def test_no_member_outlives_a_killed_interpreter() -> None:
    """An interpreter that gets SIGKILL takes the processes of its guarded group along."""
    orphan = subprocess.run(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, check=False, timeout=30
    )
    # `run` returns at the end of the output, which the sleeper would hold open for 600 seconds.
    assert orphan.returncode == -signal.SIGKILL
    assert orphan.stdout == b"started\n"


def test_a_dead_node_shows_its_log(tmp_path: Path, group: int) -> None:
    """A node that ends by itself is an error that carries what it printed last."""
    node = Node(0, tmp_path, shell("echo out of memory; exit 3"))
    node.launch(group)
    with pytest.raises(NodeDiedError, match=r"node 0 ended with 3; its log:\nout of memory"):
        check_until_it_ends(node)


def test_a_taken_port_is_told_apart(tmp_path: Path, group: int) -> None:
    """A node that could not listen is recognised, so that other ports can be tried."""
    node = Node(0, tmp_path, shell("echo java.net.BindException: in use; exit 1"))
    node.launch(group)
    with pytest.raises(PortTakenError):
        check_until_it_ends(node)


def test_a_failed_format_shows_its_log(tmp_path: Path, group: int) -> None:
    """A data folder that cannot be formatted is an error that says why."""
    node = Node(0, tmp_path, shell("echo no space left; exit 1"))
    node.start_format("cluster", group)
    with pytest.raises(NodeDiedError, match="no space left"):
        node.finish_format()


def test_a_killed_node_is_not_an_accident(tmp_path: Path, group: int) -> None:
    """A node killed on purpose, even a paused one, raises nothing and can be started again."""
    node = Node(0, tmp_path, shell("exec sleep 600"))
    node.launch(group)
    node.pause()
    assert not node.running
    node.kill()
    node.check()
    node.launch(group)
    assert node.running
    node.kill()
