"""SmartPay's API 2-0: REST with a bearer token.

Source: SmartPay's API documents, version 2-0.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import SecretStr

from handlers.exchange import AccountFailed, Request
from handlers.jsontext import Json
from handlers.registration import Action, Step, StepFailed
from handlers.resource import encode
from handlers.smartpay.answers import Answer
from handlers.smartpay.api import TOKEN_LIFETIME, Listed, Token

_WEBHOOKS = "/2-0/webhooks"


class DialectV2:
    """How version 2-0 is spoken."""

    def __init__(self, iframe_key: SecretStr, api_key: SecretStr) -> None:
        pair = f"{iframe_key.get_secret_value()}:{api_key.get_secret_value()}"
        self._keys = (iframe_key, api_key)
        self._basic = SecretStr(b64encode(pair.encode()).decode())

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not be in any message."""
        return tuple(key.get_secret_value() for key in (*self._keys, self._basic))

    def sign_in(self) -> Request:
        """Return ``GET authenticate``, with the two keys as user and password."""
        headers = {"authorization": f"Basic {self._basic.get_secret_value()}"}
        return Request("GET", "/2-0/authenticate", headers=headers)

    def token(self, answer: Answer, now: datetime) -> Token:  # noqa: ARG002 - 2-0 states seconds
        """Return ``access_token``, which lives for ``expires_in`` seconds.

        Raises:
            AccountFailed: there is none.

        """
        result = answer.result()
        token = result.get("access_token")
        if not isinstance(token, str) or not token:
            raise AccountFailed("SmartPay's answer has no access token")
        return Token(token, _lifetime(result.get("expires_in")))

    @property
    def can_test(self) -> bool:
        """Return that there is a call for a test notification."""
        return True

    def listing(
        self, token: str, collection: Listed, filters: Mapping[str, str], page: int
    ) -> Request:
        """Return ``GET invoices``, ``GET orders`` or ``GET webhooks``."""
        query = {**filters, "page": str(page)}
        return Request("GET", f"/2-0/{collection}", query=query, headers=_bearer(token))

    def change(self, token: str, step: Step) -> Request:
        """Return the POST, PATCH, DELETE or PUT that carries out a step.

        Raises:
            StepFailed: the step has no id, or one that would lead elsewhere.

        """
        headers = _bearer(token)
        match step.action:
            case Action.CREATE:
                new: Json = {"topic": step.topic, "url": step.url}
                return Request.json("POST", _WEBHOOKS, new, headers)
            case Action.MODIFY:
                return Request.json("PATCH", _path(step), {"url": step.url}, headers)
            case Action.DELETE:
                return Request("DELETE", _path(step), headers=headers)
            case Action.TEST:
                return Request("PUT", f"{_path(step)}/actions/test", headers=headers)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _path(step: Step) -> str:
    # Dots are not encoded, and these two would be another path.
    if step.id is None or step.id in {"", ".", ".."}:
        msg = f"there is no webhook to {step.action}: {step.id!r} is no id"
        raise StepFailed(msg)
    return f"{_WEBHOOKS}/{encode(step.id)}"


def _lifetime(seconds: Json) -> timedelta | None:
    text = str(seconds).strip()
    most = TOKEN_LIFETIME // timedelta(seconds=1)
    if not text.isdecimal() or len(text) > len(str(most)):
        return None
    return timedelta(seconds=int(text))
