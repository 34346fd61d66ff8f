"""SmartPay's webhooks: which there are, and having another made, moved, deleted or tested.

Source: SmartPay's API documents, "Webhooks": each topic can be subscribed once, to one URL.
Creating and modifying call the URL with ``webhook/created`` at once, and are rejected unless it
answers 200 OK. Version 2-0 can also be asked for a notification that is a dummy. Nothing says
whether a webhook is enabled.
"""

from collections.abc import Sequence
from datetime import timedelta

from handlers.exchange import Conversation, WatchFailed
from handlers.jsontext import JsonObject
from handlers.registration import Action, Step, StepFailed, Subscription
from handlers.resource import usable_id
from handlers.smartpay.api import Api
from handlers.smartpay.body import as_object
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.topics import TOPICS
from handlers.watching import Session

MOST_PAGES = 5
"""How far the listing is read: there are five topics, and a page has 100 rows."""


class SmartPayRegistration:
    """The webhooks of one SmartPay account."""

    def __init__(self, settings: SmartPaySettings, api: Api) -> None:
        self._settings = settings
        self._api = api

    @property
    def topics(self) -> Sequence[str]:
        """Return the topics that can be subscribed: all of them are wanted."""
        return TOPICS

    @property
    def managed(self) -> bool:
        """Return the account's ``manage_webhooks``."""
        return self._settings.manage_webhooks

    @property
    def check_interval(self) -> timedelta:
        """Return the account's ``webhook_check_interval``."""
        return self._settings.webhook_check_interval

    @property
    def can_test(self) -> bool:
        """Return whether the account speaks version 2-0, which has the test action."""
        return self._api.can_test

    @property
    def most_undeliverable(self) -> int:
        """Return the documents' 20. Whether they count tries of one notification is left open."""
        return 20

    def read(self, session: Session) -> Conversation[tuple[Subscription, ...]]:
        """Read the listing of webhooks; each is there once, though rows move between pages.

        A row that cannot be read is a failure: what it stands for might be ours, and a plan that
        passes over it would be made of half the truth.

        Raises:
            Refused: the key is wrong, or the account disabled.
            AccountFailed: any other error.
            WatchFailed: a row without an id or a topic, or more rows than there can be.

        """
        listing = yield from self._api.listing("webhooks", {}, session, most_pages=MOST_PAGES)
        if not listing.is_whole:
            msg = f"SmartPay lists more than {MOST_PAGES} pages of webhooks"
            raise WatchFailed(msg)
        found = [_subscription(row) for row in listing.rows]
        return tuple({each.id: each for each in found}.values())

    def carry_out(self, step: Step, session: Session) -> Conversation[str]:
        """Carry out a step; return the webhook's id. Deleting what is gone counts as done.

        Raises:
            StepFailed: SmartPay refuses the step, or does not say which webhook it made.
            Refused: the key is wrong, or the account disabled.
            AccountFailed: any other error, throttling among them.

        """
        answer = yield from self._api.change(step, session)
        made = None if answer is None else as_object(answer.content.get("result"))
        id = usable_id((made or {}).get("webhook_id")) or step.id  # noqa: A001 - SmartPay's word
        if step.action is Action.CREATE and id is None:
            # It is made, most likely, so that the next look at the listing shows it.
            msg = f"SmartPay does not say under which id it subscribed {step.topic}"
            raise StepFailed(msg)
        return id or ""


def _subscription(row: JsonObject) -> Subscription:
    fields = as_object(row.get("webhook")) or row
    id, topic = usable_id(fields.get("webhook_id")), fields.get("topic")  # noqa: A001
    url = fields.get("url")
    if id is None or not isinstance(topic, str) or not topic or not isinstance(url, str | None):
        raise WatchFailed("SmartPay lists a webhook without a readable id, topic or URL")
    return Subscription(id, topic.strip(), (url or "").strip())
