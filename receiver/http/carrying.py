"""What changes something is carried through, though whoever asked for it has gone."""

import asyncio

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

_ONLY_READ = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


def carry_through() -> Middleware:
    """Return the middleware that ends a request that only reads when its connection ends, no other.

    A redrive that stopped half-way would leave whoever asked to guess what was sent.
    """
    # The event loop alone would let go of them.
    under_way: set[asyncio.Task[web.StreamResponse]] = set()

    @web.middleware
    async def carry(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in _ONLY_READ:
            return await handler(request)
        task = asyncio.ensure_future(handler(request))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return await asyncio.shield(task)

    return carry
