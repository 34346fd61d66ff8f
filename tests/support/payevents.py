"""The command as its users run it: a process of its own, with a configuration file."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

COMMAND = Path(sys.executable).parent / "payevents"
START_WITHIN = 60.0


class Payevents:
    """``payevents serve`` with a configuration; its log lines are read as they come.

    ``program`` is what is run, ``environment`` what it finds in its environment beside ours, and
    ``start_within`` how many seconds it may take until it serves.
    """

    program: Sequence[str | Path] = (COMMAND,)
    environment: Mapping[str, str] = {}
    start_within: float = START_WITHIN

    def __init__(self, config: str, folder: Path, name: str = "payevents", *options: str) -> None:
        self.config = folder / f"{name}.toml"
        self.config.write_text(config)
        self._log = folder / f"{name}.log"
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        self._lines: dict[str, queue.Queue[dict[str, Any]]] = defaultdict(queue.Queue)
        self._deaf = False
        self.ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()

    @property
    def running(self) -> bool:
        """Tell whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def webhooks(self) -> str:
        """The URL that webhooks are sent below."""
        return f"http://127.0.0.1:{self.ports['public']}/webhooks"

    @property
    def admin(self) -> str:
        """The URL of the admin listener."""
        return f"http://127.0.0.1:{self.ports['admin']}"

    def start(self) -> None:
        """Start the process, and wait until it says that it serves."""
        self._process = subprocess.Popen(
            [*self.program, "serve", "--config", self.config, *self._options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.ports = self.await_line("serving", self.start_within)

    def await_line(self, message: str, within: float = START_WITHIN) -> dict[str, Any]:
        """Return the next log line with this message, whatever other lines came before it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            ended = self._alive.poll() is not None
            with contextlib.suppress(queue.Empty):
                return self._lines[message].get(timeout=0.1)
            assert not ended, f"the process ended before {message!r}; the log is:\n{self.log()}"
        raise AssertionError(f"no line {message!r} came; the log is:\n{self.log()}")

    def log(self) -> str:
        """Return all that was logged."""
        return self._log.read_text() if self._log.exists() else ""

    def ignore_lines(self) -> None:
        """Throw away what is logged from now on: under load there is much of it."""
        self._deaf = True

    def terminate(self, within: float = 30.0) -> int:
        """Send SIGTERM; return the exit code."""
        return self._end(signal.SIGTERM, within)

    def interrupt(self) -> None:
        """Send SIGTERM, without waiting for the end."""
        self._alive.send_signal(signal.SIGTERM)

    def kill(self) -> int:
        """Send SIGKILL."""
        return self._end(signal.SIGKILL, 10.0)

    def pause(self) -> None:
        """Freeze the process."""
        self._alive.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._alive.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._alive.pid

    @property
    def _alive(self) -> "subprocess.Popen[str]":
        assert self._process is not None
        return self._process

    def _end(self, number: signal.Signals, within: float) -> int:
        self._alive.send_signal(number)
        if number is signal.SIGKILL:
            self._alive.send_signal(signal.SIGCONT)
        code = self._alive.wait(within)
        self._reader.join()
        return code

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr as lines, self._log.open("a") as log:
            for line in lines:
                if self._deaf:
                    continue
                log.write(line)
                log.flush()
                with contextlib.suppress(ValueError):
                    entry = json.loads(line)
                    self._lines[entry["message"]].put(entry)
