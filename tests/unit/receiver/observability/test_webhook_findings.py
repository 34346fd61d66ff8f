"""What the doctor says of webhooks: registered, proven, failing, signed, reconciled."""

from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from handlers.provider import RECONCILIATION, Handler
from receiver.care.known import Care
from receiver.care.reading import AccountRecords, SeenWatch
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient
from receiver.observability.reconciliation_findings import examine_reconciliation
from receiver.observability.webhook_findings import examine_webhooks, judge_public_url
from receiver.registration.registered import Registered
from receiver.registration.signs import Missed
from receiver.registration.vitals import TopicVitals, Vitals
from tests.unit.receiver.registration.shop import (
    CALL,
    ELSEWHERE,
    LONG_AGO,
    MISSED,
    NOW,
    PAID,
    PROVEN,
    PUBLIC_URL,
    SILENT,
    failures,
    handler,
    with_topic,
    with_url,
)

ENSURE = "payevents webhooks ensure --account shop"
COMPARE = "compare the keys: docs/smartpay.md#changing-the-key"


def patient(
    registered: Registered = PROVEN,
    vitals: Vitals | None = None,
    *,
    of: Handler | None = None,
    url: str | None = PUBLIC_URL,
    unreachable: str | None = None,
    read_at: float | None = None,
    windows: tuple[SeenWatch, ...] = (),
) -> Patient:
    """Return an account of which so much is known."""
    care = Care(registered, vitals or Vitals(), windows_read_at=read_at)
    watches = {f"shop/reconciliation/{index}": window for index, window in enumerate(windows)}
    return Patient(of or handler(), AccountRecords(care, watches), url, unreachable, NOW)


def missing(*facts: Missed, more: int = 0) -> Vitals:
    """Return vitals with these facts that no webhook announced, and so many more."""
    return Vitals(topics={PAID: TopicVitals(missed=facts, more_missed=more)})


def about(subject: str, examined: Patient) -> Finding:
    """Return what is said about one subject, which is one thing."""
    found = [*examine_webhooks(examined), *examine_reconciliation(examined)]
    [finding] = [finding for finding in found if finding.subject == subject]
    return finding


@pytest.mark.parametrize(
    ("unreachable", "arrived_at", "is_known", "verdict", "told"),
    [
        (None, NOW, True, Verdict.OK, "from outside something arrived at 2026-01-01T12:00:00Z"),
        (None, None, True, Verdict.WARNING, "from outside nothing is known to have arrived"),
        ("timed out", NOW, True, Verdict.WARNING, "cannot be reached from here: timed out"),
        ("timed out", None, True, Verdict.WRONG, "cannot be reached from here: timed out"),
        (None, None, False, Verdict.OK, "what arrived from outside could not be read"),
        ("timed out", None, False, Verdict.WRONG, "could not be read"),
    ],
)
def test_from_here_is_told_apart_from_outside(
    unreachable: str | None, arrived_at: float | None, is_known: bool, verdict: Verdict, told: str
) -> None:
    """Only an arrival shows that the URL is reached from outside; only a request, from here."""
    finding = judge_public_url("shop", PUBLIC_URL, unreachable, arrived_at, is_known=is_known)
    assert finding.verdict is verdict
    assert told in finding.told


def test_without_a_public_url_nothing_can_arrive() -> None:
    """The setting that is missing is named."""
    finding = about("public url", patient(url=None))
    assert (finding.verdict, finding.told) == (Verdict.WRONG, "http.public_url is not set")


def test_a_webhook_is_an_arrival_from_outside() -> None:
    """What a webhook told last counts, as what proved a registration does."""
    alive = Vitals(topics={PAID: TopicVitals(alive_at=NOW - 5)})
    assert "11:59:55Z" in about("public url", patient(PROVEN, alive)).told
    assert "2025-12-31T12:00:00Z" in about("public url", patient()).told
    assert "nothing is known" in about("public url", patient(Registered())).told


@pytest.mark.parametrize(
    ("registered", "verdict", "told", "remedy"),
    [
        (PROVEN, Verdict.OK, "proven at 2025-12-31T12:00:00Z", ""),
        (with_url(PAID, None), Verdict.WRONG, "not registered", ENSURE),
        (
            with_url(PAID, ELSEWHERE, ours=False),
            Verdict.WRONG,
            f"another has it, at {ELSEWHERE}",
            f"{ENSURE} --take-over --topic {PAID}",
        ),
        (with_url(PAID, ELSEWHERE), Verdict.WRONG, f"leads to {ELSEWHERE}", ENSURE),
        (with_topic(PAID, call=CALL), Verdict.WARNING, "proof is awaited", "look again soon"),
        (
            with_topic(PAID, proven_at=None, problem="too slow"),
            Verdict.WARNING,
            "not proven: too slow",
            f"payevents webhooks test --account shop --topic {PAID}",
        ),
        (Registered(), Verdict.WARNING, "not known", ""),
    ],
)
def test_each_topic_has_an_answer(
    registered: Registered, verdict: Verdict, told: str, remedy: str
) -> None:
    """What is wrong with a topic comes with the command that mends it."""
    finding = about(f"webhook {PAID}", patient(registered))
    assert finding.verdict is verdict
    assert told in finding.told
    assert finding.remedy == remedy


def test_what_is_silent_is_probably_disabled() -> None:
    """A payment that no webhook told of makes its topic wrong, and is named as a difference."""
    finding = about(f"webhook {PAID}", patient(PROVEN, SILENT))
    assert finding.verdict is Verdict.WRONG
    assert "probably disabled" in finding.told
    assert finding.remedy == f"{ENSURE} --recreate --topic {PAID}"
    difference = about("differences", patient(PROVEN, SILENT))
    assert difference.verdict is Verdict.WARNING
    assert "1 fact was found" in difference.told
    assert "is waited for" not in difference.told
    assert f"invoice/aBc123 ({PAID}, found at 2026-01-01T11:00:00Z)" in difference.told
    assert about("differences", patient()).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("examined", "verdict", "told"),
    [
        (patient(), Verdict.OK, "5 of 5 topics lead here, as listed at 2026-01-01T11:59:00Z"),
        (patient(Registered()), Verdict.WARNING, "never listed"),
        (patient(url=ELSEWHERE), Verdict.WARNING, "the poller has another URL"),
        (patient(of=handler(manage_webhooks=False)), Verdict.WARNING, "nobody keeps it so"),
    ],
)
def test_whether_somebody_keeps_it_registered(
    examined: Patient, verdict: Verdict, told: str
) -> None:
    """It is told what is there and who looks after it, as of the last listing."""
    finding = about("registration", examined)
    assert finding.verdict is verdict
    assert told in finding.told


@pytest.mark.parametrize(
    ("count", "verdict"), [(0, Verdict.OK), (4, Verdict.OK), (5, Verdict.WRONG)]
)
def test_failures_are_told_as_a_least(count: int, verdict: Verdict) -> None:
    """At least so many of 20, with the reasons; early enough to do something."""
    busy = tuple(replace(one, status=503, why="no room") for one in failures(count))
    finding = about(
        "failure budget", patient(PROVEN, Vitals(topics={PAID: TopicVitals(failures=busy)}))
    )
    assert finding.verdict is verdict
    assert f"at least {count} of 20 undeliverable" in finding.told
    assert ("no room" in finding.told) == bool(count)
    assert COMPARE not in finding.remedy


@pytest.mark.parametrize(("count", "verdict"), [(1, Verdict.WARNING), (5, Verdict.WRONG)])
def test_what_nobody_has_signed_is_a_matter_of_keys(count: int, verdict: Verdict) -> None:
    """After a 401 it is said that none of our keys has signed it, and where to look."""
    refused = {PAID: TopicVitals(failures=failures(count))}
    examined = patient(PROVEN, Vitals(topics=refused))
    budget, key = about("failure budget", examined), about("signing key", examined)
    assert (budget.verdict, key.verdict) == (verdict, Verdict.WARNING)
    assert budget.remedy.startswith(COMPARE)
    assert key.remedy == COMPARE
    assert "with none of this account's keys" in key.told
    shop = handler()
    [ours] = shop.account.signing_key_names()
    for used_at, still in ((NOW - 3600, Verdict.WARNING), (NOW, Verdict.OK)):
        since = Vitals(topics=refused, keys={ours: used_at})
        assert about("signing key", patient(PROVEN, since, of=shop)).verdict is still


def test_the_last_webhook_of_each_topic_is_told() -> None:
    """The latest first; none at all is a warning."""
    topics = {
        PAID: TopicVitals(alive_at=NOW - 60),
        "order/created": TopicVitals(alive_at=NOW),
    }
    assert about("last webhook", patient(PROVEN, Vitals(topics=topics))).told == (
        f"order/created at 2026-01-01T12:00:00Z, {PAID} at 2026-01-01T11:59:00Z"
    )
    assert about("last webhook", patient()).verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("last", "verdict", "told"),
    [
        ("api_key", Verdict.OK, "api_key last at 2026-01-01T12:00:00Z"),
        ("previous_api_keys[0] (until 2026-01-31)", Verdict.WARNING, "(until 2026-01-31) last at"),
        ("previous_api_keys[1] (until 2025-12-01)", Verdict.WRONG, "(until 2025-12-01) last at"),
        ("unheard of", Verdict.WRONG, "a key that is not in the configuration"),
    ],
)
def test_which_key_signs_what_arrives(last: str, verdict: Verdict, told: str) -> None:
    """A replaced key that is still in use is warned of, with its end; an ended one is wrong."""
    keys = [("old", "2026-01-31"), ("older", "2025-12-01")]
    previous: list[dict[str, Any]] = [{"key": SecretStr(k), "until": until} for k, until in keys]
    shop = handler(previous_api_keys=previous)
    by_name = {name: key for key, name in shop.account.signing_key_names().items()}
    used = dict.fromkeys(by_name.values(), NOW - 3600) | {by_name.get(last, "0000"): NOW}
    finding = about("signing key", patient(PROVEN, Vitals(keys=used), of=shop))
    assert finding.verdict is verdict
    assert told in finding.told.split(", ")[0]


def test_the_last_reconciliation_is_told() -> None:
    """When listings were last read, and what could not be."""
    assert about("reconciliation", patient()).verdict is Verdict.WARNING
    good = SeenWatch(RECONCILIATION, "active", NOW - 60, NOW + 60, None)
    finding = about("reconciliation", patient(read_at=NOW - 60, windows=(good,)))
    assert finding.verdict is Verdict.OK
    assert finding.told == (
        "last at 2026-01-01T11:59:00Z; 1 window, the next due at 2026-01-01T12:01:00Z"
    )
    bad = SeenWatch(RECONCILIATION, "active", NOW - 60, NOW + 60, "503")
    failed = about("reconciliation", patient(read_at=NOW - 60, windows=(good, bad)))
    assert failed.verdict is Verdict.WARNING
    assert failed.told.endswith("1 could not be read, such as: 503")


def test_more_was_missed_than_is_kept() -> None:
    """Those that there was no room for count, too."""
    missed = replace(SILENT.topics[PAID], more_missed=7)
    told = about("differences", patient(PROVEN, Vitals(topics={PAID: missed}))).told
    assert told.startswith("8 facts")


def test_what_is_older_than_the_registration_is_no_difference() -> None:
    """No webhook could announce it: it is counted, and nothing is to be looked into."""
    old = replace(MISSED, happened_since=LONG_AGO - 1)
    finding = about("differences", patient(PROVEN, missing(old, more=2)))
    assert finding.verdict is Verdict.OK
    assert finding.told == "3 found that are older than the registration"
    examined = patient(PROVEN, missing(old, MISSED, more=2))
    older, others = examine_reconciliation(examined)[1:]
    assert older.told == "1 found that is older than the registration"
    assert others.verdict is Verdict.WARNING
    assert others.told.startswith("3 facts were found")


@pytest.mark.parametrize(
    ("manages", "then"), [(True, "created anew and read again"), (False, "which is an alarm")]
)
def test_what_is_not_judged_yet_has_a_time(manages: bool, then: str) -> None:
    """As long as a webhook may still come, it is said until when, and what happens then."""
    late = replace(MISSED, observed_at=NOW - 60)
    examined = patient(PROVEN, missing(late), of=handler(manage_webhooks=manages))
    finding = about("differences", examined)
    assert finding.verdict is Verdict.WARNING
    assert (
        f"a webhook of {PAID} is waited for until 2026-01-01T12:04:00Z; without one it is taken for"
        f" disabled, {then}"
    ) in finding.told
