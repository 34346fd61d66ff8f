"""Progress on one line of a terminal, rewritten as it grows."""

import sys
from time import monotonic

_EVERY = 0.2
_ERASE = "\r\x1b[K"


class Progress:
    """Shows how much of something is done on standard error, if that is a terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_shown = sys.stderr.isatty()
        self._told_at = 0.0

    def __call__(self, done: int, of: int) -> None:
        """Tell that ``done`` are done, ``of`` how many."""
        if self._is_shown and (done == of or monotonic() - self._told_at >= _EVERY):
            self._told_at = monotonic()
            self._write(f"{_ERASE}{self._what}: {done} of {of}")

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._write(_ERASE)

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
