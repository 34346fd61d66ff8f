"""One Kafka node: a Java process that can be killed, frozen and started again."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

TAIL_LENGTH = 8192
"""Characters of a log that an error shows."""

PORT_TAKEN = "java.net.BindException"


class NodeDiedError(RuntimeError):
    """A node ended that nobody killed; the message ends with the tail of its log."""


class PortTakenError(NodeDiedError):
    """A node ended because another process listens on one of its ports."""


class Node:
    """One Kafka node in its own folder, which holds `server.properties`, its data and its log."""

    def __init__(self, node_id: int, directory: Path, java: Sequence[str]) -> None:
        self.node_id = node_id
        self.log = directory / "log"
        self._java = java
        self._properties = directory / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._paused = False

    @property
    def running(self) -> bool:
        """Whether it was started and neither killed nor paused since."""
        return self._process is not None and not self._killed and not self._paused

    def start_format(self, cluster_id: str, process_group: int) -> None:
        """Begin to format the node's data folder; `finish_format` waits for the end."""
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._properties)]
        self._process = self._spawn(tool, process_group)

    def finish_format(self) -> None:
        """Wait until the data folder is formatted; raise NodeDiedError if that failed."""
        if self._process is not None and self._process.wait() != 0:
            raise self._died(self._process)
        self._process = None

    def launch(self, process_group: int) -> None:
        """Start the process without waiting until it answers; nothing if it runs already."""
        if self._process is None or self._killed:
            self._process = self._spawn(["kafka.Kafka", str(self._properties)], process_group)
            self._killed = self._paused = False

    def kill(self) -> None:
        """End the process with SIGKILL and wait until it is gone."""
        if self._process is not None:
            self._killed = True
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Freeze the process with SIGSTOP and wait until it stands; NodeDiedError if it ended."""
        process = self._living()
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise self._died(process)
        self._paused = True

    def resume(self) -> None:
        """Let a paused process go on; it answers as soon as the cluster has it back."""
        if self._paused and not self._killed:
            self._living().send_signal(signal.SIGCONT)
            self._paused = False

    def elected(self) -> tuple[int, int]:
        """Return the epoch and the id of the controller that this node knows of; -1 for none."""
        state = self._properties.parent / "data" / "__cluster_metadata-0" / "quorum-state"
        try:
            election = json.loads(state.read_text())
        except (FileNotFoundError, ValueError):
            return -1, -1  # not there yet, or being written
        return int(election["leaderEpoch"]), int(election["leaderId"])

    def check(self) -> None:
        """Raise NodeDiedError, or PortTakenError, if the process ended without being killed."""
        if self.running:
            self._living()

    def log_tail(self) -> str:
        """Return the end of what the process printed."""
        return self._output()[-TAIL_LENGTH:]

    def _spawn(self, program: list[str], process_group: int) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._java, *program],
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=process_group,
            )

    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._killed:
            message = f"node {self.node_id} is not running"
            raise RuntimeError(message)
        if self._process.poll() is not None:
            raise self._died(self._process)
        return self._process

    def _died(self, process: subprocess.Popen[bytes]) -> NodeDiedError:
        kind = PortTakenError if PORT_TAKEN in self._output() else NodeDiedError
        ended = f"node {self.node_id} ended with {process.returncode}"
        return kind(f"{ended}; its log:\n{self.log_tail()}")

    def _output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
