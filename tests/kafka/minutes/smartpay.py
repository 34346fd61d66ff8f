"""SmartPay at its unkindest: every limit low, every habit bad, and outages besides."""

from collections import Counter
from datetime import datetime, timedelta

from handlers.clock import utc_now
from handlers.exchange import Request, Response
from handlers.sandbox import Callback
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness, Twenty
from handlers.smartpay.sandbox.delivery import Webhook

CALLS, PER = 70, timedelta(seconds=10)
"""What SmartPay lets all programs of the merchant together call."""

BROKEN = "500"


def strictness(seed: int) -> Strictness:
    """Return limits that whoever goes on for seconds after a refusal exceeds."""
    return Strictness(
        calls=CALLS,
        calls_per=PER,
        throttled_most=6,
        errors_most=30,
        page_size=10,
        # Their word is not believed, since no clock agrees with another: each expires early.
        token_lifetime=timedelta(seconds=15),
        twenty=Twenty.IN_ALL,
        answer_within=timedelta(seconds=3),
        modify_enables=False,
        first_retry=timedelta(seconds=0.25),
        longest_retry=timedelta(seconds=0.5),
        listing_lag=timedelta(seconds=2),
        newest_first=True,
        disorder=seed,
        disorder_within=timedelta(seconds=4),
    )


class UnkindSmartPay(SmartPaySandbox):
    """The provider. ``calls`` are the times of all requests, ``errors`` what they got, by its code.

    While it ``is_broken``, every call is an error.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(strictness(seed))
        self.calls: list[datetime] = []
        self.errors: Counter[str] = Counter()
        self.is_broken = False

    @property
    def is_disabled(self) -> bool:
        """Tell whether the account was disabled."""
        return self._merchant.access.is_disabled

    @property
    def is_sending(self) -> bool:
        """Tell whether any notification is yet to be delivered."""
        return bool(self._deliveries._queue)

    @property
    def webhooks(self) -> list[Webhook]:
        """Return the subscriptions."""
        return list(self._merchant.webhooks.by_id.values())

    @property
    def given_up(self) -> set[str]:
        """Return the ids of those that are disabled for as many failures as SmartPay counts to."""
        most = strictness(0).undeliverable_most
        return {w.id for w in self.webhooks if not w.is_enabled and w.undeliverable >= most}

    def handle(self, request: Request, now: datetime) -> Response | Callback:
        """Answer one request, and note what it got."""
        self.calls.append(now)
        if self.is_broken:
            self._merchant.access.count_error(now)
            return self._noted(Response.json(500, {"errors": {BROKEN: "Internal Server Error"}}))
        answer = super().handle(request, now)
        if isinstance(answer, Response):
            return self._noted(answer)
        resume = answer.resume
        return Callback(answer.notification, lambda status: self._noted(resume(status)))

    def crowd(self) -> None:
        """Have another program of the merchant's use up all calls that are left."""
        calls = self._merchant.access._calls
        calls.extend([utc_now()] * (CALLS - len(calls)))

    def _noted(self, answer: Response) -> Response:
        errors = answer.object().get("errors")
        self.errors.update([*errors] if isinstance(errors, dict) else ())
        return answer
