"""What the doctor finds at an account whose provider calls us: its webhooks."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient, moment
from receiver.registration.condition import Condition, State, conditions
from receiver.registration.failure_budget import EARLY, FailureBudget
from receiver.registration.situation import Situation
from receiver.words import counted

_UNAUTHORIZED = 401
_REPLACED = "previous"
"""How the names of keys begin that were replaced at the provider."""


def examine_webhooks(patient: Patient) -> list[Finding]:
    """Return what is to be said about the webhooks of an account, nothing if there are none."""
    situation = patient.situation
    if situation is None:
        return []
    found = conditions(situation)
    return [
        judge_public_url(
            patient.account.name, patient.public_url, patient.unreachable, _arrived_at(found)
        ),
        _registration(patient, situation),
        *(_topic(patient, one) for one in found),
        _failures(patient, situation),
        _last_webhook(found),
        *_keys(patient, situation),
    ]


def judge_public_url(
    account: str,
    public_url: str | None,
    unreachable: str | None,
    arrived_at: float | None,
    *,
    is_known: bool = True,
) -> Finding:
    """Return what is to be said about our own URL, from here and from outside.

    ``unreachable`` says why it cannot be reached from here, None if it can. ``arrived_at`` is when
    something last arrived that only the provider can have sent; unless ``is_known``, nobody knows.
    """
    subject = "public url"
    if public_url is None:
        remedy = "set it to where providers reach the receivers from outside"
        return Finding(subject, Verdict.WRONG, "http.public_url is not set", remedy)
    outside = "from outside nothing is known to have arrived"
    if not is_known:
        outside = "what arrived from outside could not be read"
    elif arrived_at is not None:
        outside = f"from outside something arrived at {moment(arrived_at)}"
    if unreachable is None:
        told = f"{public_url} answers from here; {outside}"
        if arrived_at is not None or not is_known:
            return Finding(subject, Verdict.OK, told)
        return Finding(
            subject, Verdict.WARNING, told, f"payevents webhooks test --account {account}"
        )
    told = f"it cannot be reached from here: {unreachable}; {outside}"
    if arrived_at is not None:
        remedy = "if it can only be reached from outside, set http.probe_public_url = false"
        return Finding(subject, Verdict.WARNING, told, remedy)
    remedy = "see that http.public_url leads to the receivers, /livez included"
    return Finding(subject, Verdict.WRONG, told, remedy)


def _arrived_at(found: list[Condition]) -> float | None:
    """Return when something last arrived that only the provider can have sent."""
    times = [at for one in found for at in (one.registration.proven_at, one.vitals.alive_at)]
    return max((at for at in times if at is not None), default=None)


def _registration(patient: Patient, situation: Situation) -> Finding:
    subject, registered = "registration", situation.registered
    if registered.listed_at is None:
        remedy = f"payevents webhooks list --account {patient.account.name}"
        told = "what is registered at the provider was never listed"
        return Finding(subject, Verdict.WARNING, told, remedy)
    there = [topic for topic in situation.registration.topics if situation.right(topic) is not None]
    wanted = len(situation.registration.topics)
    told = f"{len(there)} of {wanted} topics lead here, as listed at {moment(registered.listed_at)}"
    if registered.url != (situation.url or ""):
        said = registered.url or "none"
        remedy = "give the service and this command the same configuration"
        return Finding(
            subject, Verdict.WARNING, f"{told}; the poller has another URL: {said}", remedy
        )
    if not situation.registration.managed:
        remedy = "set manage_webhooks = true on the account, if payevents is to look after it"
        return Finding(subject, Verdict.WARNING, f"{told}; nobody keeps it so", remedy)
    return Finding(subject, Verdict.OK, told)


def _topic(patient: Patient, one: Condition) -> Finding:
    command = f"payevents webhooks ensure --account {patient.account.name}"
    url = "" if one.subscription is None else one.subscription.url
    proven_at, problem = one.registration.proven_at, one.registration.problem
    because = f": {problem}" if problem else ""
    alone = f" --topic {one.topic}"
    judged: Mapping[State, tuple[Verdict, str, str]] = {
        State.UNKNOWN: (Verdict.WARNING, "not known", ""),
        State.MISSING: (Verdict.WRONG, f"not registered{because}", command),
        State.TAKEN: (Verdict.WRONG, f"another has it, at {url}", f"{command} --take-over{alone}"),
        State.ELSEWHERE: (Verdict.WRONG, f"ours, and leads to {url}{because}", command),
        State.SUSPECTED: (
            Verdict.WRONG,
            (
                f"registered, and probably disabled since {_or_never(one.suspected_since)}:"
                f" {_why_suspected(one)}"
            ),
            f"{command} --recreate{alone}",
        ),
        State.AWAITED: (Verdict.WARNING, "registered; its proof is awaited", "look again soon"),
        State.UNPROVEN: (
            Verdict.WARNING,
            f"registered, and not proven{because}",
            f"payevents webhooks test --account {patient.account.name}{alone}",
        ),
        State.PROVEN: (
            Verdict.OK,
            f"registered, and proven at {_or_never(proven_at)} by a call of ours that arrived",
            "",
        ),
    }
    verdict, told, remedy = judged[one.state]
    return Finding(f"webhook {one.topic}", verdict, told, remedy)


def _why_suspected(one: Condition) -> str:
    if one.registration.is_silent:
        return "a test notification did not arrive, and something else did"
    return f"{counted(one.missed, 'fact was', 'facts were')} not announced"


def _budgets(situation: Situation) -> dict[str, FailureBudget]:
    return {topic: situation.failure_budget(topic) for topic in situation.vitals.topics}


def _unsigned_at(situation: Situation) -> float | None:
    """Return when the latest failure was, if it was that nobody could tell who had signed."""
    failures = [one for budget in _budgets(situation).values() for one in budget.failures]
    latest = max(failures, key=lambda one: one.at, default=None)
    return None if latest is None or latest.status != _UNAUTHORIZED else latest.at


def _compare_keys(patient: Patient) -> str:
    return f"compare the keys: docs/{patient.account.provider}.md#changing-the-key"


def _failures(patient: Patient, situation: Situation) -> Finding:
    most, budgets = situation.registration.most_undeliverable, _budgets(situation)
    used = {topic: budget for topic, budget in sorted(budgets.items()) if budget.at_least}
    if not used:
        told = f"at least 0 of {most} undeliverable, for each topic"
        return Finding("failure budget", Verdict.OK, told)
    told = " | ".join(f"{topic}: {budget.told}" for topic, budget in used.items())
    is_unsigned = _unsigned_at(situation) is not None
    if max(budget.at_least for budget in used.values()) < EARLY:
        if is_unsigned:
            return Finding("failure budget", Verdict.WARNING, told, _compare_keys(patient))
        return Finding("failure budget", Verdict.OK, told)
    remedy = (
        "mend what refuses webhooks before the provider disables them: docs/operations.md,"
        " 'webhook-failures'"
    )
    if is_unsigned:
        remedy = f"{_compare_keys(patient)}, before the provider disables the webhooks"
    return Finding("failure budget", Verdict.WRONG, told, remedy)


def _last_webhook(found: list[Condition]) -> Finding:
    alive = {one.topic: one.vitals.alive_at for one in found if one.vitals.alive_at is not None}
    if not alive:
        told = "none has told anything new yet"
        return Finding("last webhook", Verdict.WARNING, told, "nothing, if nothing has happened")
    latest = sorted(alive.items(), key=lambda item: -item[1])
    told = ", ".join(f"{topic} at {moment(at)}" for topic, at in latest)
    return Finding("last webhook", Verdict.OK, told)


def _keys(patient: Patient, situation: Situation) -> Iterator[Finding]:
    used, unsigned_at = patient.care.vitals.keys, _unsigned_at(situation)
    if unsigned_at is not None and unsigned_at > max(used.values(), default=0.0):
        told = f"what arrived at {moment(unsigned_at)} was signed with none of this account's keys"
        yield Finding("signing key", Verdict.WARNING, told, _compare_keys(patient))
        return
    if not used:
        return
    now = datetime.fromtimestamp(patient.now, UTC)
    known, counting = patient.account.signing_key_names(), patient.account.signing_key_names(now)
    names = {key: known.get(key, "a key that is not in the configuration") for key in used}
    latest = sorted(used, key=lambda key: -used[key])
    told = ", ".join(f"{names[key]} last at {moment(used[key])}" for key in latest)
    in_use = latest[0]
    if in_use not in counting:
        remedy = "see that the service has this configuration; what it signs now is refused"
        yield Finding("signing key", Verdict.WRONG, told, remedy)
    elif names[in_use].startswith(_REPLACED):
        remedy = (
            f"what arrives is still signed with {names[in_use]}: have the provider use the new key"
            " before the old one ends, and leave the old one out after that"
        )
        yield Finding("signing key", Verdict.WARNING, told, remedy)
    else:
        yield Finding("signing key", Verdict.OK, told)


def _or_never(seconds: float | None) -> str:
    return "no known time" if seconds is None else moment(seconds)
