"""Passing a request on to a worker, and its answer back, unchanged and as they come."""

from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from aiohttp import ClientConnectionError, ClientConnectorError, ClientError, hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from receiver.http.errors import Refused
from receiver.http.server import RETRY_AFTER
from receiver.workers.asking import AdminOf
from receiver.workers.worker import State

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OF_A_CONNECTION: Final = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that are about one connection alone (RFC 9110, section 7.6.1), in lower case."""


async def pass_on(request: web.Request, admins: Sequence[AdminOf]) -> web.StreamResponse:
    """Have the first worker that can answer the request, one that drains only if all do.

    Always the same one, as long as it lives: a worker lets only one at a time read a whole topic.

    Raises:
        Refused: none can, or the one that was asked died meanwhile.
    """
    there = [admin for admin in admins if admin.worker.answers]
    for admin in sorted(there, key=lambda admin: admin.worker.state is not State.SERVING):
        try:
            return await _pass_to(admin, request)
        except ClientConnectorError:
            # It took nothing, so another can be asked the same.
            log.warning("a worker does not answer", worker=admin.worker.number)
        except ClientConnectionError as error:
            told = f"the worker that was asked ended meanwhile: {error}"
            raise Refused(503, "worker-away", told, RETRY_AFTER) from None
    raise Refused(503, "worker-away", "no worker serves just now", RETRY_AFTER)


async def _pass_to(admin: AdminOf, request: web.Request) -> web.StreamResponse:
    async with admin.session.request(
        request.method,
        # As it was sent: decoded and encoded again it could be another.
        URL(f"http://localhost{request.rel_url.raw_path_qs}", encoded=True),
        headers=_passed(request.headers),
        data=request.content if request.can_read_body else None,
        allow_redirects=False,
        skip_auto_headers=[hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT],
    ) as answer:
        response = web.StreamResponse(
            status=answer.status, reason=answer.reason, headers=_passed(answer.headers)
        )
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        except ClientError as error:
            # Half an answer is sent: whoever reads it must see that it broke off, and no other.
            log.warning("an answer broke off", worker=admin.worker.number, why=repr(error))
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response


def _passed(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in _listed(headers.getall(hdrs.CONNECTION, []))}
    kept = CIMultiDict(headers)
    for name in {name.lower() for name in headers} & (_OF_A_CONNECTION | named):
        kept.popall(name)
    return kept


def _listed(values: Iterable[str]) -> Iterable[str]:
    return (name for value in values for name in value.split(","))
