"""Reading a request's body: no more and no longer than allowed."""

import asyncio

from aiohttp import web


async def read_body(request: web.BaseRequest, *, most_bytes: int, seconds: float) -> bytes:
    """Return the raw body.

    Raises:
        web.HTTPUnsupportedMediaType: it is encoded: a signature covers bytes as they were sent.
        web.HTTPRequestEntityTooLarge: it is, or says it is, larger than ``most_bytes``.
        web.HTTPRequestTimeout: it was not there after ``seconds``.
        web.HTTPBadRequest: it broke off.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body without a content-encoding\n")
    if request.content_length is not None and request.content_length > most_bytes:
        raise _too_large(most_bytes, request.content_length)
    try:
        if request.content.is_eof():
            # Most bodies come together with their head: they need no timer.
            return await _collect(request, most_bytes)
        async with asyncio.timeout(seconds):
            return await _collect(request, most_bytes)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body took too long\n") from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest(text="the body broke off\n") from None


async def _collect(request: web.BaseRequest, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes, size)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most_bytes: int, size: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(
        most_bytes, size, text=f"the body is larger than {most_bytes} bytes\n"
    )
