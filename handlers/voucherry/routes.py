"""Where Voucherry's resources are: the only place that makes a path or judges a URL.

``GET /cherries_requests/:id/confirm`` **moves cherries**, although it is a GET. So a path is made
of a collection out of a closed set and an id out of a narrow alphabet, and of nothing else; a URL
that somebody hands in is compared with the URLs so made and never followed.

Source: Voucherry's API documentation.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

RESOURCE_KINDS: Mapping[str, str] = {
    "cherries_transfers": "transfer",
    "cherries_requests": "transfer_request",
}
"""The kind of the resources in each collection. Their ids are counted apart."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ACTION = "confirm"


def path(collection: str, resource_id: str) -> str:
    """Return the path of one resource, below the account's base URL.

    Raises:
        ValueError: no such collection, or an id that could not be one; ``str()`` says which.

    """
    if collection not in RESOURCE_KINDS:
        msg = f"{collection!r:.40} is none of {', '.join(RESOURCE_KINDS)}"
        raise ValueError(msg)
    if not _ID.fullmatch(resource_id) or resource_id.lower() == _ACTION:
        msg = f"{resource_id!r:.40} is not an id: letters, digits, _ and - only"
        raise ValueError(msg)
    return f"/{collection}/{resource_id}"


def is_url_of(url: str, base_url: str, collection: str, resource_id: str) -> bool:
    """Tell whether ``url`` is exactly that of a resource: absolute or relative, or its ``.json``.

    Raises:
        ValueError: as :func:`path`.

    """
    expected = path(collection, resource_id)
    if url == base_url + expected:
        return True
    base, below, end = url.rpartition(expected)
    return bool(below) and end in {"", ".json"} and _normal(base) in _bases(base_url)


@lru_cache
def _bases(base_url: str) -> frozenset[str]:
    return frozenset({_normal(base_url), urlsplit(base_url).path})


def _normal(url: str) -> str:
    """Write scheme and host in lower case, where they mean the same (RFC 3986, section 6.2.2.1)."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    host, slash, tail = rest.partition("/")
    return f"{scheme}{mark}{host}".lower() + slash + tail
