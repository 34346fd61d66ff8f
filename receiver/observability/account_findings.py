"""What the doctor finds at an account of any provider: credentials, clock, calls, polling."""

from collections.abc import Iterator

from config.types import format_duration
from handlers.provider import Ending
from receiver.care.reading import SeenWatch
from receiver.observability.care_status import calls_used
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient, moment
from receiver.polling.entry import ACTIVE
from receiver.polling.sealing import fingerprint
from receiver.words import counted

_SKEW = 30.0
"""Seconds that the clocks may differ: more makes a token's end and a window's limit doubtful."""

_MOSTLY_USED = 0.8
_LATE = 600.0
"""Seconds beyond its poll interval that a watch may wait for its turn."""


def examine_account(patient: Patient) -> list[Finding]:
    """Return what is to be said about an account, whichever its provider is."""
    return [
        _credentials(patient),
        _clock(patient),
        _calls(patient),
        *_resting(patient),
        _polling(patient),
        *_stalled(patient),
        *_warnings(patient),
    ]


def _credentials(patient: Patient) -> Finding:
    standing = patient.care.standing
    stop, heard_at = standing.stop, standing.heard_at
    if stop is not None and stop.credentials == fingerprint(patient.account):
        told = f"the provider refused them at {moment(stop.at)}, and calls are stopped: {stop.why}"
        remedy = (
            "set the right ones in the configuration: calls go on once the service has them;"
            " webhooks are received meanwhile"
        )
        return Finding("credentials", Verdict.WRONG, told, remedy)
    if stop is not None:
        told = (
            f"others than these were refused at {moment(stop.at)}, and calls are stopped:"
            f" {stop.why}"
        )
        remedy = "see that the service runs with the configuration that was read here"
        return Finding("credentials", Verdict.WRONG, told, remedy)
    if heard_at is None:
        told = "the provider has given no good answer yet, as far as is known"
        return Finding("credentials", Verdict.WARNING, told, "see that a poller runs")
    told = f"the provider last gave a good answer at {moment(heard_at)}"
    return Finding("credentials", Verdict.OK, told)


def _clock(patient: Patient) -> Finding:
    skew = patient.care.standing.clock_skew
    if skew is None:
        told = "the provider has not told its time"
        return Finding("provider's clock", Verdict.OK, told)
    if abs(skew) <= _SKEW:
        seconds = counted(round(abs(skew)), "second")
        return Finding("provider's clock", Verdict.OK, f"within {seconds} of ours")
    order = "ahead of" if skew > 0 else "behind"
    told = f"{abs(skew):.0f} seconds {order} that of the poller"
    remedy = "set the clocks of our machines by NTP; if they are right, tell the provider"
    return Finding("provider's clock", Verdict.WARNING, told, remedy)


def _calls(patient: Patient) -> Finding:
    account = patient.account
    used = calls_used(patient.handler, patient.care, patient.now)
    told = f"{used} of {account.calls} made in the last {format_duration(account.calls_per)}"
    if used < _MOSTLY_USED * account.calls:
        return Finding("calls", Verdict.OK, told)
    remedy = (
        "nothing, while what waits is done in time; else raise calls, if the provider allows more"
    )
    return Finding("calls", Verdict.WARNING, told, remedy)


def _resting(patient: Patient) -> Iterator[Finding]:
    standing = patient.care.standing
    if standing.stop is None and standing.open_until > patient.now:
        told = (
            f"none until {moment(standing.open_until)}, after {standing.failures} failures in a row"
        )
        remedy = (
            "nothing, if the provider is known to be down: calls go on by themselves; else see"
            f" 'payevents watches list --account {patient.account.name}' for the errors"
        )
        yield Finding("calls", Verdict.WARNING, told, remedy)


def _polling(patient: Patient) -> Finding:
    active = {k: watch for k, watch in patient.records.watches.items() if watch.state == ACTIVE}
    if not active:
        return Finding("polling", Verdict.OK, "there is nothing to poll")
    late = {key: watch for key, watch in active.items() if _is_late(watch, patient)}
    visits = [watch.last_polled_at for watch in active.values()]
    last = max((at for at in visits if at is not None), default=None)
    seen = "nothing was ever polled" if last is None else f"last polled at {moment(last)}"
    if not late or _is_held_up(patient):
        watches = counted(len(active), "watch", "watches")
        return Finding("polling", Verdict.OK, f"{watches}, {seen}")
    first = min(late, key=lambda key: late[key].next_poll_at)
    since = moment(late[first].next_poll_at)
    watches = counted(len(active), "watch", "watches")
    are = "is" if len(late) == 1 else "are"
    told = f"{len(late)} of {watches} {are} overdue, {first} since {since}; {seen}"
    if last is not None and last > patient.now - _LATE:
        remedy = "the budget of calls is too low for them: raise calls, if the provider allows more"
        return Finding("polling", Verdict.WARNING, told, remedy)
    remedy = "no running poller does it: look at 'payevents serve' and its /readyz"
    return Finding("polling", Verdict.WRONG, told, remedy)


def _is_late(watch: SeenWatch, patient: Patient) -> bool:
    slack = _LATE + patient.account.poll_interval.total_seconds()
    return watch.next_poll_at + slack < patient.now


def _is_held_up(patient: Patient) -> bool:
    """Tell whether calls are stopped or rest, which another finding says."""
    standing = patient.care.standing
    return standing.stop is not None or standing.open_until > patient.now


def _stalled(patient: Patient) -> Iterator[Finding]:
    stalled = [k for k, watch in patient.records.watches.items() if watch.state == Ending.STALLED]
    if stalled:
        told = f"{len(stalled)} never reached their final state, such as {min(stalled)}"
        remedy = (
            f"payevents watches list --account {patient.account.name}; remove them, or add them"
            " again"
        )
        yield Finding("stalled watches", Verdict.WARNING, told, remedy)


def _warnings(patient: Patient) -> Iterator[Finding]:
    for warning, at in sorted(patient.care.standing.warnings.items()):
        told = f"{warning} (last at {moment(at)})"
        yield Finding("provider warns", Verdict.WARNING, told, "read the provider's announcement")
