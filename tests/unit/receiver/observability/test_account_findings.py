"""What the doctor says of an account, whichever its provider is: each answer from its record."""

from typing import Any

import pytest
from pydantic import SecretStr

from handlers.provider import Ending, Handler
from handlers.subscriply import provider as subscriply
from handlers.subscriply.settings import SubscriplySettings
from receiver.care.known import Care
from receiver.care.reading import AccountRecords, SeenWatch
from receiver.observability.account_findings import examine_account
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient
from receiver.observability.reconciliation_findings import examine_reconciliation
from receiver.observability.webhook_findings import examine_webhooks
from receiver.polling.sealing import fingerprint
from receiver.polling.standing import Standing, Stop
from tests.unit.receiver.registration.shop import NOW, handler

HEARD = {"heard_at": NOW - 60}
RIGHT = fingerprint(handler().account)
"""What stands for the credentials that the account is configured with."""


def members() -> Handler:
    """Return the handler of a Subscriply account."""
    settings = SubscriplySettings(
        name="members",
        base_url="https://fishies.example/api/v1",
        email="a@example.com",
        password=SecretStr("a password"),
        currency="USD",
    )
    return subscriply.bind(settings)


def patient(*watches: SeenWatch, of: Handler | None = None, **standing: Any) -> Patient:
    """Return an account with these watches, and so much known of its standing."""
    by_key = {f"shop/{watch.kind}/{index}": watch for index, watch in enumerate(watches)}
    records = AccountRecords(Care(standing=Standing(**standing)), by_key)
    return Patient(of or handler(), records, None, None, NOW)


def watch(next_at: float, last_at: float | None = NOW - 3600, state: str = "active") -> SeenWatch:
    """Return a watch that is due at ``next_at``."""
    return SeenWatch("invoices", state, last_at, next_at, None)


def about(subject: str, examined: Patient) -> list[Finding]:
    """Return what is said about one subject."""
    return [finding for finding in examine_account(examined) if finding.subject == subject]


@pytest.mark.parametrize(
    ("standing", "verdict", "told"),
    [
        (HEARD, Verdict.OK, "last gave a good answer at 2026-01-01T11:59:00Z"),
        ({}, Verdict.WARNING, "no good answer yet"),
        ({"stop": Stop(RIGHT, "Invalid key", NOW), **HEARD}, Verdict.WRONG, "refused them at"),
        ({"stop": Stop("other", "Invalid key", NOW)}, Verdict.WRONG, "others than these"),
    ],
)
def test_whether_the_credentials_are_valid(
    standing: dict[str, Any], verdict: Verdict, told: str
) -> None:
    """A good answer says so; a stop says no, and whether it was with these credentials."""
    [finding] = about("credentials", patient(**standing))
    assert finding.verdict is verdict
    assert told in finding.told
    assert finding.remedy or verdict is Verdict.OK


@pytest.mark.parametrize(
    ("skew", "verdict", "told"),
    [
        (None, Verdict.OK, "has not told"),
        (-12.0, Verdict.OK, "within 12 seconds"),
        (45.0, Verdict.WARNING, "45 seconds ahead"),
        (-45.0, Verdict.WARNING, "45 seconds behind"),
    ],
)
def test_whether_the_clocks_agree(skew: float | None, verdict: Verdict, told: str) -> None:
    """Half a minute is tolerated, either way."""
    [finding] = about("provider's clock", patient(clock_skew=skew))
    assert (finding.verdict, told in finding.told) == (verdict, True)


def test_calls_are_counted_in_their_period_alone() -> None:
    """What was spent before the last hour counts no more; most of the budget is a warning."""
    spent = ((NOW - 3700, 50), (NOW - 3500, 40), (NOW - 10, 7))
    [few] = about("calls", patient(spent=spent))
    assert (few.verdict, few.told) == (Verdict.OK, "47 of 60 made in the last 1h")
    [many] = about("calls", patient(spent=(*spent, (NOW, 1))))
    assert (many.verdict, many.told) == (Verdict.WARNING, "48 of 60 made in the last 1h")


def test_calls_that_rest_are_told() -> None:
    """After failures the calls rest until a time; once it is over, nothing is said."""
    resting: dict[str, Any] = {"open_until": NOW + 60, "failures": 3}
    [_, rests] = about("calls", patient(**resting))
    assert rests.told == "none until 2026-01-01T12:01:00Z, after 3 failures in a row"
    assert len(about("calls", patient(**{**resting, "open_until": NOW - 1}))) == 1


@pytest.mark.parametrize(
    ("watches", "standing", "verdict", "told"),
    [
        ([], {}, Verdict.OK, "nothing to poll"),
        ([watch(NOW + 60)], {}, Verdict.OK, "1 watch, last polled at 2026-01-01T11:00:00Z"),
        ([watch(NOW - 300)], {}, Verdict.OK, "1 watch,"),
        ([watch(NOW - 3600)], {}, Verdict.WRONG, "1 of 1 watch is overdue, shop/invoices/0"),
        ([watch(NOW - 3600, None)], {}, Verdict.WRONG, "nothing was ever polled"),
        ([watch(NOW - 3600), watch(NOW, NOW - 5)], {}, Verdict.WARNING, "1 of 2 watches"),
        ([watch(NOW - 3600)], {"open_until": NOW + 60}, Verdict.OK, "1 watch,"),
        ([watch(NOW - 3600, state="done")], {}, Verdict.OK, "nothing to poll"),
    ],
)
def test_whether_a_poller_works(
    watches: list[SeenWatch], standing: dict[str, Any], verdict: Verdict, told: str
) -> None:
    """Watches long overdue mean no poller, or too few calls if others are visited."""
    [finding] = about("polling", patient(*watches, **standing))
    assert finding.verdict is verdict
    assert told in finding.told


def test_stalled_watches_and_warnings_are_told() -> None:
    """Each warning of the provider is a finding of its own; what stalled is counted."""
    warnings = {"1-2 retires": NOW - 60, "be gentle": NOW}
    examined = patient(watch(NOW, state=Ending.STALLED), warnings=warnings)
    assert [finding.told for finding in about("provider warns", examined)] == [
        "1-2 retires (last at 2026-01-01T11:59:00Z)",
        "be gentle (last at 2026-01-01T12:00:00Z)",
    ]
    [stalled] = about("stalled watches", examined)
    assert stalled.told.startswith("1 never reached")


def test_an_account_without_webhooks_is_not_asked_for_them() -> None:
    """A provider that calls nobody has credentials, clock, calls and polling, and no more."""
    examined = patient(of=members(), **HEARD)
    subjects = [finding.subject for finding in examine_account(examined)]
    assert subjects == ["credentials", "provider's clock", "calls", "polling"]
    assert not examine_webhooks(examined)
    assert not examine_reconciliation(examined)
