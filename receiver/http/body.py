"""Reading a request's body: no more and no longer than allowed."""

import asyncio

from aiohttp import hdrs, web


def announced(request: web.BaseRequest, most: int) -> int:
    """Return how large the body is, or is said to be; ``most`` if nothing is said, or more."""
    if request.content.is_eof():
        return request.content.total_bytes
    length = request.content_length
    return most if length is None else min(length, most)


async def invite(request: web.BaseRequest) -> None:
    """Ask for a body that the sender holds back until then (RFC 9110, section 10.1.1).

    Raises:
        web.HTTPExpectationFailed: it expects something else.
    """
    expected = request.headers.get(hdrs.EXPECT)
    if expected is None:
        return
    if expected.lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="unknown expectation\n")
    if not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What aiohttp itself does: this is not part of the answer yet.
        request.writer.output_size = 0


def at_hand(request: web.BaseRequest, most_bytes: int) -> bytes | None:
    """Return the raw body if it came together with its head, as most do, and is plain.

    None tells that it is to be asked for or waited for, or refused: see :func:`read_body`.
    """
    content, headers = request.content, request.headers
    if (
        content.is_eof()
        and content.total_bytes <= most_bytes
        and hdrs.CONTENT_ENCODING not in headers
        and hdrs.EXPECT not in headers
        and content.exception() is None
    ):
        return content.read_nowait()
    return None


async def read_body(request: web.BaseRequest, *, most_bytes: int, seconds: float) -> bytes:
    """Return the raw body.

    Raises:
        web.HTTPUnsupportedMediaType: it is encoded: a signature covers bytes as they were sent.
        web.HTTPRequestEntityTooLarge: it is, or says it is, larger than ``most_bytes``.
        web.HTTPRequestTimeout: it was not there after ``seconds``.
        web.HTTPBadRequest: it broke off.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body without a content-encoding\n")
    try:
        if request.content_length is not None and request.content_length > most_bytes:
            raise too_large(most_bytes, request.content_length)
        async with asyncio.timeout(seconds):
            return await _collect(request, most_bytes)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body took too long\n") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        # The stream keeps the error, which would keep the stream and all that was read of it until
        # the garbage collector comes by.
        error.__traceback__ = None
        raise web.HTTPBadRequest(text="the body broke off\n") from None


async def _collect(request: web.BaseRequest, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            raise too_large(most_bytes, size)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(most_bytes: int, size: int) -> web.HTTPRequestEntityTooLarge:
    """Return what a body of ``size`` bytes is refused with."""
    return web.HTTPRequestEntityTooLarge(
        most_bytes, size, text=f"the body is larger than {most_bytes} bytes\n"
    )
