"""JSON out of requests and into responses of the admin API."""

from collections.abc import Mapping
from typing import Final

import orjson
from aiohttp import web

from handlers.jsontext import JsonObject, Unreadable, parse_object
from receiver.http.body import read_body

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of Prometheus' text format."""

_MOST_BYTES = 256 * 1024
_SECONDS = 10.0
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(
    data: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return ``data`` as a JSON response."""
    return web.Response(
        body=orjson.dumps(data),
        status=status,
        content_type="application/json",
        headers={**_HEADERS, **(headers or {})},
    )


async def read_object(request: web.Request) -> JsonObject:
    """Return the JSON object in the request's body.

    Raises:
        web.HTTPBadRequest: it is none.
        web.HTTPException: as :func:`read_body`.
    """
    body = await read_body(request, most_bytes=_MOST_BYTES, seconds=_SECONDS)
    try:
        return parse_object(body)
    except Unreadable as error:
        raise web.HTTPBadRequest(text=str(error)) from None
