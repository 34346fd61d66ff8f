"""Whether we were a good guest: few calls, one at a time, and ever fewer after errors."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from handlers.smartpay.settings import SmartPaySettings
from tests.simulation.loop import EPOCH
from tests.simulation.week.calls import Answer, Calls
from tests.simulation.week.configuration import Configuration
from tests.simulation.week.smartpay import SmartPay

_ON_THE_WAY = timedelta(seconds=2)
"""What calls may come closer together between where they are counted and the provider."""


def assert_kind(smartpay: SmartPay, configuration: Configuration) -> None:
    """Assert that the account was called as seldom as promised, and is not disabled."""
    settings, calls = configuration.account, smartpay.calls
    assert not calls.overlaps, f"two calls at once, first at {_told(calls.overlaps[0][1].began)}"
    _assert_within_budget(calls.arrived, settings)
    assert not smartpay.sandbox._merchant.access.is_disabled, "SmartPay disabled the account"
    _assert_pauses(calls, configuration)


def _assert_within_budget(arrived: Sequence[datetime], settings: SmartPaySettings) -> None:
    for number, at in enumerate(arrived):
        made = bisect_left(arrived, at + settings.calls_per - _ON_THE_WAY) - number
        told = f"{made} calls within {settings.calls_per} from {_told(at)}"
        assert made <= settings.calls, told


def _assert_pauses(calls: Calls, configuration: Configuration) -> None:
    """Assert that each failure was followed by a longer pause, and a refusal by no call at all.

    Changed settings are tried at once, and whoever takes over may not know of the last failure.
    """
    settings, failures = configuration.account, 0
    anew = [*configuration.changed_at, *calls.takeovers]
    for call, following in pairwise(calls.made):
        begins_anew = any(call.began <= at <= following.began for at in anew)
        if call.heard is Answer.WELL or begins_anew:
            failures = 0
            continue
        pause, at = following.began - call.began, _told(call.began)
        assert call.heard is not Answer.REFUSAL, f"refused at {at}, called again {pause} later"
        if call.heard is Answer.FAILURE:
            # The ceiling doubles, and each pause is drawn from its upper half.
            longest = min(settings.backoff_min * (2 << failures), settings.backoff_max)
            failures += 1
            assert pause >= longest / 2, f"after failure {failures} only {pause}, at {at}"


def _told(at: datetime) -> str:
    return f"{(at - EPOCH).total_seconds():.0f}"
