"""Serving the console: a few files from memory, with headers that let the page do no more.

The files are written by hand and served as they are. The page itself holds nothing secret and is
open; what it shows it asks for with the token that the operator types in.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from aiohttp import web

_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
_PAGE: Final = "index.html"
_BELOW: Final = "/console/"
_GUESSED: Final[Mapping[str, str]] = MappingProxyType({"/console": "./", "/console/": "../"})
"""Where people look for the page, and where it is from there whatever path a proxy has it under."""

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Nothing from elsewhere, nothing inline; and no text becomes markup or script, whatever the
        # page's own code tries: providers' words are in it.
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""What each file is sent with."""


class Console:
    """The files of the page, in memory."""

    def __init__(self) -> None:
        # A file that somebody's editor left there must not keep webhooks from being received.
        found = files("receiver.console").joinpath("page").iterdir()
        self._files = dict(_served(file) for file in found if _ending(file) in _TYPES)

    @property
    def paths(self) -> AbstractSet[str]:
        """Return where the console is: these paths want no token."""
        return self._files.keys() | _GUESSED.keys()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        for path in self._files:
            router.add_get(path, self._show)
        for path in _GUESSED:
            router.add_get(path, _lead)

    async def _show(self, request: web.Request) -> web.Response:
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)


async def _lead(request: web.Request) -> web.Response:
    # Nothing of what was asked is in the answer: it can lead nowhere else.
    return web.Response(status=302, headers={**HEADERS, "Location": _GUESSED[request.path]})


def _served(file: Traversable) -> tuple[str, tuple[bytes, str]]:
    """Return where a file is served, and what: its bytes and their type."""
    path = "/" if file.name == _PAGE else f"{_BELOW}{file.name}"
    return path, (file.read_bytes(), _TYPES[_ending(file)])


def _ending(file: Traversable) -> str:
    return file.name.rpartition(".")[2]
