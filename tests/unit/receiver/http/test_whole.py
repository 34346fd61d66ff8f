"""Webhooks that come whole are told from all that aiohttp has to judge."""

from random import Random

import pytest

from receiver.http.whole import Whole, WholeReader

BODY = b'{"invoice_id": "a"}\r\n\r\nPOST /webhooks/shop HTTP/1.1\r\n'
LENGTH = f"Content-Length: {len(BODY)}"


def request(*headers: str, line: str = "POST /webhooks/shop HTTP/1.1", body: bytes = BODY) -> bytes:
    """Return a request with these headers beside its host."""
    return "\r\n".join([line, "Host: pay", *headers, "", ""]).encode("latin-1") + body


async def test_a_webhook_that_is_all_there_is_read() -> None:
    """Its path, headers and body are as they were sent, whatever the body looks like."""
    read = WholeReader().read(request(LENGTH, "X-Topic: a", "x-topic: b"))
    assert isinstance(read, Whole)
    assert (read.path, read.body) == ("/webhooks/shop", BODY)
    assert read.headers.getall("X-Topic") == ["a", "b"]


async def test_no_body_at_all_is_a_whole_one() -> None:
    """So it is with a length of zero, and without one."""
    for headers in ([], ["Content-Length: 0"]):
        read = WholeReader().read(request(*headers, body=b""))
        assert isinstance(read, Whole)
        assert read.body == b""


async def test_a_first_part_tells_how_long_the_request_is() -> None:
    """Wherever it breaks off after its head, and nothing can be told before that."""
    whole = request(LENGTH)
    reader = WholeReader()
    for size in range(len("POST /webhooks/"), len(whole)):
        known = len(whole) if size >= len(whole) - len(BODY) else None
        assert reader.read(whole[:size]) == known, size
    assert isinstance(reader.read(whole), Whole)


async def test_what_follows_a_webhook_is_not_lost() -> None:
    """With more than itself it is none for here, and what is more can be told by its length."""
    reader = WholeReader()
    whole = request(LENGTH)
    assert reader.read(whole + whole[:7]) == len(whole)
    assert reader.read(whole + b"\r\n") == len(whole)
    assert not isinstance(reader.read(whole + whole), Whole)


@pytest.mark.parametrize(
    "unusual",
    [
        request(LENGTH, "Expect: 100-continue"),
        request(LENGTH, "Content-Encoding: gzip"),
        request(LENGTH, "Connection: keep-alive", line="POST /webhooks/shop HTTP/1.0"),
        request(LENGTH, line="POST /webhooks/sh%6Fp HTTP/1.1"),
        request(LENGTH, line="POST /webhooks/shop?a=b HTTP/1.1"),
        request(LENGTH, line="POST /webhooks/shop#a HTTP/1.1"),
    ],
)
async def test_what_aiohttp_has_to_judge_is_left_to_it(unusual: bytes) -> None:
    """Its length is known all the same."""
    assert WholeReader().read(unusual) == len(unusual)


@pytest.mark.parametrize(
    "odd",
    [
        request("Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\n\r\n"),
        request(LENGTH, "Transfer-Encoding: chunked"),
        request(LENGTH, "Content-Length: 5"),
        request(LENGTH, LENGTH),
        request(f"Content-Length: +{len(BODY)}"),
        request(f"Content-Length: {len(BODY)}, {len(BODY)}"),
        request("Content-Length: -1"),
        request(f"Content-Length: {'0' * 4400}{len(BODY)}"),
        request("Content-Length: \xb3"),
        request(LENGTH, "Upgrade: websocket", "Connection: Upgrade"),
        request(LENGTH, "X-Long: " + "x" * 9000),
        request(LENGTH, *(f"X-{number}: a" for number in range(70))),
        request(LENGTH, "X-Folded: a\r\n b"),
        request(LENGTH, "X-Nul: a\x00b"),
        request(LENGTH, " : a"),
        request(LENGTH, "Connection: close"),
        request(LENGTH, line="POST /webhooks/shop HTTP/1.0"),
        request(LENGTH, line="POST /webhooks/shop"),
        request(LENGTH).replace(b"Host: pay\r\n", b""),
        request(LENGTH).replace(b"\r\nHost", b"\nHost"),
        b"POST /webhooks/shop HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_odd_is_never_read_here(odd: bytes) -> None:
    """And what comes after it, on any connection, is read as if it had not been."""
    reader = WholeReader()
    assert not isinstance(reader.read(odd), Whole)
    assert isinstance(reader.read(request(LENGTH)), Whole)


async def test_no_garbage_changes_how_the_next_one_is_read() -> None:
    """The parser is the same for all connections, and what one sends is nothing to another."""
    random, reader, plain = Random(5), WholeReader(), request(LENGTH)
    read = 0
    for _ in range(5_000):
        garbage = bytearray(plain)
        for _ in range(random.randint(0, 2)):
            at = random.randrange(len(b"POST /webhooks/"), len(garbage))
            garbage[at : at + random.randint(0, 3)] = random.choice(
                (b"", b"\r\n", b"\n", b":", b" ", b"\x00", b"9", random.randbytes(2))
            )
        piece = bytes(garbage[: random.choice((len(garbage), random.randint(1, len(garbage))))])
        alone = WholeReader().read(piece)
        together = reader.read(piece)
        if isinstance(alone, Whole):
            assert isinstance(together, Whole)
            assert (together.path, together.body) == (alone.path, alone.body)
            assert list(together.headers.items()) == list(alone.headers.items())
            read += 1
        else:
            assert together == alone
    assert read > 100
    assert isinstance(reader.read(plain), Whole)
