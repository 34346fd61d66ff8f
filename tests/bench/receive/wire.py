"""Just enough of HTTP to know when an answer is complete, and which."""

import re

OK = 200
INCOMPLETE = 0

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
_WITHOUT_BODY = (204, 304)


class UnreadableAnswer(ValueError):
    """The answer does not say where it ends."""


def status_of(answer: bytes) -> int:
    """Return the status of a complete answer, :data:`INCOMPLETE` while more of it must come.

    Raises:
        UnreadableAnswer: its end could only be known by the connection's.
    """
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return INCOMPLETE
    status = int(answer[9:12])
    length = _LENGTH.search(answer, 0, head)
    if length is not None:
        complete = len(answer) >= head + 4 + int(length[1])
    elif _CHUNKED.search(answer, 0, head) is not None:
        complete = answer.endswith(_LAST_CHUNK)
    elif status in _WITHOUT_BODY:
        complete = True
    else:
        raise UnreadableAnswer(repr(answer[:head]))
    return status if complete else INCOMPLETE


def closes(answer: bytes) -> bool:
    """Tell whether the server closes the connection after this answer."""
    return _CLOSE.search(answer) is not None
