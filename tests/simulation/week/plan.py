"""What a simulated week is made of."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal, TypeAlias, get_args

from handlers.smartpay import provider as smartpay
from handlers.smartpay.sandbox.access import API_KEY, IFRAME_KEY
from handlers.smartpay.sandbox.strictness import Strictness, Twenty
from handlers.smartpay.settings import SmartPaySettings
from tests.simulation.programs import ACCOUNT

Version: TypeAlias = Literal["1-2", "2-0"]
VERSIONS: tuple[Version, ...] = get_args(Version)

PUBLIC_URL = "https://payevents.example"
WEBHOOK_URL = f"{PUBLIC_URL}/webhooks/{ACCOUNT}"
REPLICAS = ("replica-0", "replica-1")
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """One run. ``orders`` come each day, and ``rate`` is the share of Kafka's requests that fail.

    ``troubles`` are the outages of a day, on either side, of the kinds in ``only`` if it has any;
    to the ``deaf`` no webhook ever gets through. ``calls`` is the account's budget for an hour, and
    ``patience`` how many throttled calls in a row SmartPay puts up with. ``settling`` is how many
    seconds all may take that is still to be found when everything works again.
    """

    seed: int
    version: Version = "1-2"
    weeks: float = 1.0
    orders: float = 45.0
    rate: float = 0.002
    troubles: float = 8.0
    only: Collection[str] = ()
    deaf: bool = False
    calls: int = 60
    patience: int = 15
    settling: float = DAY

    @property
    def seconds(self) -> float:
        """Return how long the shop is open."""
        return self.weeks * 7 * DAY


def strictness(seed: int, patience: int) -> Strictness:
    """Return SmartPay's unknown limits, guessed low, and its unknown habits, drawn from a seed."""
    rng = Random(f"strictness {seed}")
    return Strictness(
        calls=120,
        calls_per=timedelta(hours=1),
        throttled_most=patience,
        errors_most=20,
        twenty=rng.choice(list(Twenty)),
        answer_within=timedelta(seconds=10),
        modify_enables=rng.random() < 1 / 2,
        listing_lag=timedelta(seconds=rng.choice((0, 30))),
        newest_first=rng.random() < 1 / 2,
        disorder=seed,
        disorder_within=timedelta(seconds=rng.choice((30, 300))),
    )


def account(plan: WeekPlan) -> SmartPaySettings:
    """Return the settings of the shop's account: the defaults, but for what names it."""
    settings = smartpay.settings.model_validate(
        {
            "name": ACCOUNT,
            "provider": smartpay.name,
            "base_url": "https://smartpay.example",
            "api_key": API_KEY,
            "iframe_key": IFRAME_KEY,
            "api_version": plan.version,
            "calls": plan.calls,
            "manage_webhooks": True,
        }
    )
    assert isinstance(settings, SmartPaySettings)
    return settings
