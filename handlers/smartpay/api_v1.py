"""SmartPay's API 1-2: every call is a POST whose parameters hold the token.

Source: SmartPay's API documents, version 1-2.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr

from handlers.exchange import AccountFailed, Request
from handlers.jsontext import Unreadable
from handlers.registration import Action, Step, StepFailed
from handlers.smartpay import values
from handlers.smartpay.answers import Answer
from handlers.smartpay.api import Listed, Token


class DialectV1:
    """How version 1-2 is spoken."""

    def __init__(self, api_key: SecretStr) -> None:
        self._api_key = api_key

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not be in any message."""
        return (self._api_key.get_secret_value(),)

    def sign_in(self) -> Request:
        """Return ``authenticate`` with the API key."""
        return Request.form("/1-2/authenticate", {"api_key": self._api_key.get_secret_value()})

    def token(self, answer: Answer, now: datetime) -> Token:
        """Return ``token``, which lives until ``expires_on`` (UTC).

        Raises:
            AccountFailed: there is none.

        """
        result = answer.result()
        token = result.get("token")
        if not isinstance(token, str) or not token:
            raise AccountFailed("SmartPay's answer has no token")
        try:
            expires_on = values.date(result.get("expires_on"))
        except Unreadable:
            expires_on = None
        return Token(token, None if expires_on is None else expires_on - now)

    @property
    def can_test(self) -> bool:
        """Return that there is no call for a test notification."""
        return False

    def listing(
        self, token: str, collection: Listed, filters: Mapping[str, str], page: int
    ) -> Request:
        """Return ``get_invoices``, ``get_orders`` or ``get_webhooks``."""
        fields = {**filters, "page": str(page), "token": token}
        return Request.form(f"/1-2/get_{collection}", fields)

    def change(self, token: str, step: Step) -> Request:
        """Return ``create_webhook``, ``modify_webhook`` or ``delete_webhook``.

        Raises:
            StepFailed: a test, or a step without the id that it needs.

        """
        if step.action is Action.TEST:
            raise StepFailed("SmartPay's API 1-2 has no test notification")
        if step.action is Action.CREATE:
            fields = {"topic": step.topic, "url": step.url}
        elif step.id:
            moved = {"url": step.url} if step.action is Action.MODIFY else {}
            fields = {"webhook_id": step.id, **moved}
        else:
            msg = f"there is no webhook to {step.action}: it has no id"
            raise StepFailed(msg)
        return Request.form(f"/1-2/{step.action}_webhook", {**fields, "token": token})
