"""A process group that does not outlive the interpreter that made it."""

import subprocess


class GuardedGroup:
    """A process group whose members are killed on close, or when this interpreter ends.

    Its leader waits on a pipe that only this interpreter holds. The kernel closes that pipe even
    if the interpreter is killed, which neither `atexit` nor a signal handler would notice, and
    unlike PR_SET_PDEATHSIG it does not matter which thread started a member.
    """

    def __init__(self) -> None:
        self._leader = subprocess.Popen(
            ["sh", "-c", "read -r _; kill -KILL 0"], stdin=subprocess.PIPE, process_group=0
        )

    @property
    def id(self) -> int:
        """The group's id, for the `process_group` of its members' `Popen`."""
        return self._leader.pid

    def close(self) -> None:
        """Kill every member; the parent of each has still to wait for it."""
        if self._leader.stdin is not None:
            self._leader.stdin.close()
        self._leader.wait()
