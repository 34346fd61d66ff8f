"""Reaching our own public URL, from here.

Whether it can be reached from outside is another question, which only an arrival answers.
"""

from collections.abc import Awaitable, Callable
from os import strerror
from typing import TypeAlias

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    InvalidURL,
    ServerDisconnectedError,
)

Reach: TypeAlias = Callable[[str], Awaitable[str | None]]
"""Returns why a public URL cannot be reached, None if it can."""

_SECONDS = 10.0
_OK = 200
_ALIVE = b"alive"


async def why_unreachable(public_url: str) -> str | None:
    """Return why ``public_url`` does not lead to a receiver of ours, None if it does.

    Asked is ``/livez``, which answers without an account, a signature or Kafka.
    """
    url = f"{public_url}/livez"
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=_SECONDS)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            said = await answer.content.read(len(_ALIVE))
    except (ClientError, OSError, TimeoutError, ValueError) as error:
        return f"GET {url}: {_plainly(error)}"
    if answer.status != _OK:
        return f"GET {url} was answered {answer.status}"
    if said != _ALIVE:
        return f"GET {url} was answered by something that is no receiver of payevents"
    return None


def _plainly(error: Exception) -> str:
    """Return why there was no answer, in words for whoever set the URL."""
    match error:
        case TimeoutError():
            return f"no answer within {_SECONDS:.0f} s"
        case ClientConnectorDNSError():
            return "the name is not known"
        case ClientConnectorCertificateError(certificate_error=refused):
            return f"its certificate is not trusted: {getattr(refused, 'verify_message', refused)}"
        case ClientSSLError():
            return "the TLS handshake failed"
        case ClientConnectorError(os_error=OSError(errno=int() as number)) if number > 0:
            return strerror(number).lower()
        case ClientConnectorError():
            return "no connection"
        case ServerDisconnectedError() | ClientOSError():
            return "the connection was closed without an answer"
        case InvalidURL() | ValueError():
            return "that is no URL that can be asked"
        case _:
            return "the answer cannot be understood"
