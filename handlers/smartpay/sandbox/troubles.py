"""What a person or a test can cause at the sandbox: what goes wrong at SmartPay."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.jsontext import Json
from handlers.sandbox import Control
from handlers.smartpay.sandbox import v1, v2
from handlers.smartpay.sandbox.api import Merchant
from handlers.smartpay.sandbox.delivery import Webhook

Arguments = Mapping[str, str]

_TOPIC = {"topic": "its topic; else all"}
_COUNT = {"count": "how many; else 1"}
_VERSIONS = (v1.VERSION, v2.VERSION)
_VERSION = {"version": "1-2 or 2-0; else both"}


class Troubles:
    """The controls that no merchant has. Each raises ValueError for what it cannot do."""

    def __init__(self, merchant: Merchant) -> None:
        self._access = merchant.access
        self._arrivals = merchant.arrivals
        self._webhooks = merchant.webhooks

    def by_name(self) -> dict[str, Control]:
        """Return the controls, each under the name that a person types."""
        return {
            "webhooks": Control("Show the webhooks, and what they got.", self._show_webhooks),
            "arrive-while-paging": Control(
                "Let an order with an invoice arrive after each of the next pages read.",
                self._arrive,
                {"pages": "how many pages"},
            ),
            "drop": Control("Lose the next notifications, unsent.", self._drop, _COUNT),
            "disable-webhook": Control(
                "Disable a webhook silently, as after 20 failures.", self._disable_webhook, _TOPIC
            ),
            "lose-webhook": Control("Forget a webhook.", self._lose_webhook, _TOPIC),
            "retire-version": Control(
                "Warn that a version of the API retires.", self._retire, _VERSION
            ),
            "expire-token": Control("Make all tokens expire early.", self._expire_token),
            "rotate-key": Control(
                "Give the merchant a new API key, and refuse the old.", self._rotate_key
            ),
            "throttle": Control(
                "Throttle every call from now on, however few there are.",
                self._throttle,
                {"on": "no to end it"},
            ),
            "disable-account": Control("Disable the account.", self._disable_account),
            "enable-account": Control("Enable the account again.", self._enable_account),
        }

    def _show_webhooks(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        return [
            {
                **self._webhooks.shown(webhook),
                "is_enabled": webhook.is_enabled,
                "delivered": webhook.delivered,
                "undeliverable": webhook.undeliverable,
                "queued": self._webhooks.deliveries.queued(webhook),
            }
            for webhook in self._webhooks.by_id.values()
        ]

    def _arrive(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        # Not by default: the same listing read twice is not the same then.
        pages = _number(arguments, "pages", default="")
        self._arrivals.expect(pages)
        return {"pages": pages}

    def _drop(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        count = _number(arguments, "count")
        self._webhooks.deliveries.lose_next(count)
        return {"count": count}

    def _disable_webhook(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        meant = self._meant(arguments)
        for webhook in meant:
            self._webhooks.deliveries.disable(webhook)
        return [self._webhooks.shown(webhook) for webhook in meant]

    def _lose_webhook(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        meant = self._meant(arguments)
        for webhook in meant:
            self._webhooks.delete(webhook.id)
        return [self._webhooks.shown(webhook) for webhook in meant]

    def _retire(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        version = arguments.get("version")
        if version and version not in _VERSIONS:
            raise ValueError("version must be 1-2 or 2-0")
        self._access.retiring.update([version] if version else _VERSIONS)
        retiring: list[Json] = [*sorted(self._access.retiring)]
        return {"retiring": retiring}

    def _expire_token(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        return {"expired": self._access.expire_tokens()}

    def _rotate_key(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        return {"api_key": self._access.rotate_key()}

    def _throttle(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        self._access.is_throttling = arguments.get("on") != "no"
        return {"is_throttling": self._access.is_throttling}

    def _disable_account(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        self._access.is_disabled = True
        return {"is_disabled": True}

    def _enable_account(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        self._access.enable()
        return {"is_disabled": False}

    def _meant(self, arguments: Arguments) -> Sequence[Webhook]:
        topic = arguments.get("topic")
        meant = [w for w in self._webhooks.by_id.values() if not topic or w.topic == topic]
        if not meant:
            raise ValueError(f"there is no webhook for {topic}" if topic else "there is none yet")
        return meant


def _number(arguments: Arguments, name: str, default: str = "1") -> int:
    text = arguments.get(name) or default
    if not text.isdecimal() or len(text) > 6 or not int(text):
        msg = f"{name} is not a number from 1 on"
        raise ValueError(msg)
    return int(text)
