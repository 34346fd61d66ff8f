"""What a configured URL must look like, and where plain http may be spoken."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, without a port) is this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_exposed_http(url: str) -> bool:
    """Whether `url` speaks plain http with a host that is not this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def check_base_url(url: str) -> str:
    """Return `url` if paths can be added to it.

    Raises:
        ValueError: it is no http or https URL, or has a trailing slash, a query, a fragment or a
            user; says which.

    """
    # The text itself is not repeated in a message: it may hold a password before its host.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        message = f"is not a URL: {error}"
        raise ValueError(message) from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        raise ValueError("is not a URL: write it as https://host or https://host/path")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("must not hold white space")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or a password")
    if "?" in url or "#" in url:
        raise ValueError("must not have a query or a fragment: leave out ? and # and what follows")
    if url.endswith("/"):
        raise ValueError("must not end in a slash: leave it out")
    return url


BaseUrl = Annotated[str, AfterValidator(check_base_url)]
"""An http or https URL to which paths are added: no trailing slash, query, fragment or user."""
