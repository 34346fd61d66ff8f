"""HTTP as values: requests out, responses in. Nobody here opens a socket."""

from collections.abc import Generator, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

from handlers.jsontext import Json, JsonObject, compact, parse_object


class Request(msgspec.Struct, frozen=True):
    """One request, with header names in lower case.

    ``path`` is below the account's base URL, so that it cannot lead elsewhere; a sandbox sees the
    same path. Credentials travel in headers and bodies, so ``repr`` leaves these out.
    """

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:
        """Return the request without its secrets."""
        return f"Request({self.method!r}, {self.path!r}, query={self.query!r})"

    @classmethod
    def json(
        cls, method: str, path: str, value: Json, headers: Mapping[str, str] | None = None
    ) -> "Request":
        """Return a request whose body is ``value`` as JSON."""
        merged = {**(headers or {}), "content-type": "application/json"}
        return cls(method, path, headers=merged, body=compact(value))

    @classmethod
    def form(cls, path: str, fields: Mapping[str, str]) -> "Request":
        """Return a POST whose body is an HTML form."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return cls("POST", path, headers=headers, body=urlencode(fields).encode())

    def parameters(self) -> dict[str, str]:
        """Return the body's parameters, form or flat JSON, as text: for sandboxes.

        Raises:
            Unreadable: a JSON body that is no object.

        """
        if self.headers.get("content-type", "").startswith("application/json"):
            return {name: str(value) for name, value in parse_object(self.body or b"{}").items()}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Response(msgspec.Struct, frozen=True):
    """One answer. Header names are in lower case; ``received_at`` is the host's clock."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    received_at: datetime | None = None

    def __repr__(self) -> str:
        """Return the answer without its body, which may be long or hold a token."""
        return (
            f"Response({self.status!r}, headers={self.headers!r}, received_at={self.received_at!r})"
        )

    @classmethod
    def json(cls, status: int, value: Json) -> "Response":
        """Return an answer whose body is ``value`` as JSON."""
        return cls(status, compact(value), {"content-type": "application/json"})

    def object(self) -> JsonObject:
        """Return the JSON object in the body.

        Raises:
            Unreadable: the body is no JSON object.

        """
        return parse_object(self.body)


_T = TypeVar("_T")

Conversation: TypeAlias = Generator[Request, Response, _T]
"""A dialogue with a provider: yields each request, is sent its response, returns the result.

The host that drives it throws :class:`CallFailed` into it where no response came.
"""


class ProviderFailure(Exception):
    """A provider could not be asked, or did not answer as its documents say."""


class CallFailed(ProviderFailure):
    """No response: connection refused, time-out, or an answer beyond every limit."""


class WatchFailed(ProviderFailure):
    """This one watch could not be read; others of the account may well be. It backs off."""


class AccountFailed(ProviderFailure):
    """The account as a whole is not served now: its breaker opens for a growing time."""


class Refused(AccountFailed):
    """The provider refuses our credentials: every further call could harm the account."""


class RefusedForGood(Refused):
    """The provider says that they never will be accepted: calls stop until something changes."""
