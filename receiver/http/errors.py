"""Errors of the admin API: JSON whatever was refused or went wrong."""

from collections.abc import Mapping

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from receiver.http.exchange import answer

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CODES = {
    400: "bad-request",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "unsupported-media-type",
}
"""The codes of what aiohttp refuses, or reading a body, by status."""

OTHERWISE = "refused"
"""The code of any other status."""


class Refused(Exception):
    """A request that is answered with an error: its status, a code for programs, words for people.

    ``headers`` are added to the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer ``{"error": {"code", "message"}}`` for whatever is refused or fails."""
    try:
        return await handler(request)
    except Refused as refused:
        return _error(refused.status, refused.code, str(refused), refused.headers)
    except web.HTTPException as error:
        kept = {name: value for name, value in error.headers.items() if name == hdrs.ALLOW}
        code = CODES.get(error.status, OTHERWISE)
        return _error(error.status, code, (error.text or error.reason).strip(), kept)
    except Exception:
        log.exception("an admin request failed", method=request.method, path=request.path)
        return _error(500, "internal-error", "the request failed: see the log", {})


def _error(status: int, code: str, message: str, headers: Mapping[str, str]) -> web.Response:
    return answer({"error": {"code": code, "message": message}}, status=status, headers=headers)
