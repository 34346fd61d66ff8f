"""Who may use the admin API."""

import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from config.urls import is_loopback
from receiver.http.errors import Refused

OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
"""What probes and scrapers ask for: nothing there is secret, and they carry no token."""


def guard(token: str | None, open_paths: Collection[str] = OPEN_PATHS) -> Middleware:
    """Return the middleware that lets only those in who know ``token``.

    Without a token the listener is on a loopback address, which web pages in a browser on the same
    machine can reach too: only requests that name this machine, and come from no other site, pass.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in open_paths:
            if token is None:
                _refuse_other_sites(request)
            else:
                _check_token(request, token)
        return await handler(request)

    return check


def _check_token(request: web.Request, token: str) -> None:
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    # Bytes: compare_digest takes no text beyond ASCII, which a header may hold.
    same = hmac.compare_digest(
        given.strip().encode(errors="surrogateescape"), token.encode(errors="surrogateescape")
    )
    if scheme.lower() != "bearer" or not same:
        raise Refused(
            401,
            "unauthorized",
            "send the admin token: Authorization: Bearer <admin.token>",
            {hdrs.WWW_AUTHENTICATE: "Bearer"},
        )


def _refuse_other_sites(request: web.Request) -> None:
    """Refuse DNS rebinding, where a foreign name leads here, and requests of foreign pages."""
    host = request.headers.get(hdrs.HOST, "")
    name = _hostname(host)
    if name is None or not is_loopback(name):
        raise Refused(403, "foreign-host", "without admin.token only localhost may be asked for")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        raise Refused(403, "foreign-origin", "without admin.token no other site may ask")


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
