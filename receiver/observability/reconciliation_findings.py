"""What the doctor finds at what is read for what no webhook told."""

from handlers.provider import RECONCILIATION
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient, moment
from receiver.polling.entry import ACTIVE

_MOST_NAMED = 5


def examine_reconciliation(patient: Patient) -> list[Finding]:
    """Return what is to be said about the reconciliation, nothing if no webhooks are sent."""
    if patient.handler.registration is None:
        return []
    return [_last(patient), _differences(patient)]


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
    told = f"last at {moment(read_at)}; {len(windows)} windows"
    if windows:
        told += f", the next due at {moment(min(watch.next_poll_at for watch in windows))}"
    if failed:
        told += f"; {len(failed)} could not be read, such as: {failed[0]}"
        remedy = f"payevents watches list --account {patient.account.name}"
        return Finding(subject, Verdict.WARNING, told, remedy)
    return Finding(subject, Verdict.OK, told)


def _differences(patient: Patient) -> Finding:
    vitals = patient.care.vitals
    missed = [
        (fact, topic) for topic, known in sorted(vitals.topics.items()) for fact in known.missed
    ]
    count = len(missed) + sum(known.more_missed for known in vitals.topics.values())
    if not count and patient.care.windows_read_at is None:
        return Finding("differences", Verdict.OK, "none is known of")
    if not count:
        told = "none: webhooks have announced all that was found"
        return Finding("differences", Verdict.OK, told)
    latest = sorted(missed, key=lambda item: -item[0].observed_at)[:_MOST_NAMED]
    named = ", ".join(
        f"{fact.subject} ({topic}, found at {moment(fact.observed_at)})" for fact, topic in latest
    )
    told = f"{count} facts were found that no webhook had announced: {named}"
    remedy = "they are published: 'payevents explain' tells of each; see the webhooks above for why"
    return Finding("differences", Verdict.WARNING, told, remedy)
