"""An answer is complete when its last byte is there, and not before."""

import pytest

from tests.bench.receive.wire import INCOMPLETE, UnreadableAnswer, closes, status_of

ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 9\r\n\r\naccepted\n", 200),
    (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length:0\r\n\r\n", 503),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
    (b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 204),
]


@pytest.mark.parametrize(("whole", "status"), ANSWERS)
def test_an_answer_is_known_by_its_last_byte(whole: bytes, status: int) -> None:
    """However it is cut."""
    assert status_of(whole) == status
    for length in range(len(whole)):
        assert status_of(whole[:length]) == INCOMPLETE


def test_an_answer_without_an_end_is_refused() -> None:
    """Its end would be the connection's, and the load keeps connections."""
    with pytest.raises(UnreadableAnswer):
        status_of(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nok")


def test_a_server_may_say_that_it_closes() -> None:
    """In any case of letters."""
    assert closes(b"HTTP/1.1 200 OK\r\nconnection: Close\r\n\r\n")
    assert not closes(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n")
