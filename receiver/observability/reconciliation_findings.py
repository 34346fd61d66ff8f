"""What the doctor finds at what is read for what no webhook told."""

from collections.abc import Iterator, Sequence

from handlers.provider import RECONCILIATION
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient, moment
from receiver.polling.entry import ACTIVE
from receiver.registration.differences import Differences
from receiver.words import counted

_MOST_NAMED = 5


def examine_reconciliation(patient: Patient) -> list[Finding]:
    """Return what is to be said about the reconciliation, nothing if no webhooks are sent."""
    if patient.handler.registration is None:
        return []
    return [_last(patient), *_differences(patient)]


def _last(patient: Patient) -> Finding:
    subject, read_at = "reconciliation", patient.care.windows_read_at
    windows = [
        watch
        for watch in patient.records.watches.values()
        if watch.kind == RECONCILIATION and watch.state == ACTIVE
    ]
    if read_at is None:
        told = "no listing was read yet for what no webhook told"
        return Finding(subject, Verdict.WARNING, told, "see that a poller runs")
    failed = [watch.error for watch in windows if watch.error is not None]
    told = f"last at {moment(read_at)}; {counted(len(windows), 'window')}"
    if windows:
        told += f", the next due at {moment(min(watch.next_poll_at for watch in windows))}"
    if failed:
        told += f"; {len(failed)} could not be read, such as: {failed[0]}"
        remedy = f"payevents watches list --account {patient.account.name}"
        return Finding(subject, Verdict.WARNING, told, remedy)
    return Finding(subject, Verdict.OK, told)


def _differences(patient: Patient) -> Iterator[Finding]:
    """Yield what webhooks had not announced: what they should have, and what they could not."""
    situation, subject = patient.situation, "differences"
    topics = {} if situation is None else patient.care.vitals.topics
    found = [Differences.of(situation, topic) for topic in sorted(topics) if situation is not None]
    older = sum(one.older for one in found)
    if older:
        told = f"{older} found that {'is' if older == 1 else 'are'} older than the registration"
        yield Finding(subject, Verdict.OK, told)
    count = sum(one.count for one in found)
    if count:
        yield _unannounced(patient, found, count)
    elif not older and patient.care.windows_read_at is None:
        yield Finding(subject, Verdict.OK, "none is known of")
    elif not older:
        told = "none: webhooks have announced all that was found"
        yield Finding(subject, Verdict.OK, told)


def _unannounced(patient: Patient, found: Sequence[Differences], count: int) -> Finding:
    known = [(fact, one.topic) for one in found for fact in one.latest]
    latest = sorted(known, key=lambda item: -item[0].observed_at)[:_MOST_NAMED]
    named = ", ".join(
        f"{fact.subject} ({topic}, found at {moment(fact.observed_at)})" for fact, topic in latest
    )
    facts = counted(count, "fact was", "facts were")
    told = f"{facts} found that no webhook had announced: {named}"
    waiting = [one for one in found if one.awaited_until is not None]
    if waiting:
        told += "".join(f"; {_awaited(one)}" for one in waiting)
        registration = patient.handler.registration
        is_managed = registration is not None and registration.managed
        told += ", created anew and read again" if is_managed else ", which is an alarm"
    remedy = "they are published: 'payevents explain' tells of each; see the webhooks above for why"
    return Finding("differences", Verdict.WARNING, told, remedy)


def _awaited(one: Differences) -> str:
    return (
        f"a webhook of {one.topic} is waited for until {moment(one.awaited_until or 0.0)}; without"
        " one it is taken for disabled"
    )
