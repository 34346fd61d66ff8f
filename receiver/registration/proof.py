"""Proof: which arrival a call of ours explains, and what it means that none came.

Creating, modifying and testing a subscription make the provider call its URL. Only an arrival
within the window of such a call proves anything: the webhook's topic is not signed, and anyone who
has seen an old body can send it again at any other time.

A probe that nothing answers is no proof of anything yet: what was sent may be lost on its way, or
be late. So it is doubted first, and something else is caused that the provider sends at once.
"""

import msgspec

from handlers.registration import Action
from receiver.registration.registered import PROBE, Call, Registered, TopicRegistration
from receiver.registration.suspicion import usual_delay
from receiver.registration.vitals import MOST_ARRIVALS, Vitals

WINDOW = 60.0
"""Seconds after a call's answer within which what it caused may still arrive."""

LONGEST_WINDOW = 600.0
"""The same at most for a probe, which is sent like any other notification and may take as long as
they do: nothing else is done meanwhile."""

SKEW = 5.0
"""Seconds by which the clocks of receivers and of whoever made the call may differ."""

_OUR_FAULT = frozenset({None, 200, 503})
"""How what is sent again ended: nobody heard the answer, it was late, nothing kept it."""

_MOST_EXPLAINED = 20
_MOST_DOUBLINGS = 20
_LONGEST_PAUSE = 3600.0
"""Seconds: whatever is not registered costs payments, so it is tried every hour at least."""

UNPROVEN = (
    "the provider says that the URL answered, but nothing arrived here: the URL leads elsewhere,"
    " or what arrives is not signed with a key of this account"
)


def window(call: Call, vitals: Vitals) -> float:
    """Return for how many seconds after a call's answer what it caused may still arrive.

    Whoever orders a test waits for it; for a probe nobody does.
    """
    if call.action != PROBE:
        return WINDOW
    return max(WINDOW, min(usual_delay(vitals), LONGEST_WINDOW))


def settled(registered: Registered, vitals: Vitals, now: float, pause: float) -> Registered:
    """Return ``registered`` with each waiting call proven, given up, or still waiting.

    A call that is given up counts as a failure; ``pause`` is for how many seconds no other step is
    made then, longer with each failure in a row (see :func:`failed`).
    """
    for topic, one in registered.topics.items():
        if one.call is not None:
            registered = _settled(registered, topic, one.call, vitals, now, pause)
    return registered


def failed(one: TopicRegistration, why: str, now: float, pause: float) -> TopicRegistration:
    """Return a topic whose step failed, with its pause: twice as long each time, up to a limit.

    Where that step was to tell why a probe did not arrive, nothing is known of the webhook.
    """
    wait = min(pause * 2.0 ** min(one.failures, _MOST_DOUBLINGS), _LONGEST_PAUSE)
    return msgspec.structs.replace(
        one,
        call=None,
        problem=why,
        failures=one.failures + 1,
        not_before=now + wait,
        unheard_at=None,
    )


def _settled(
    registered: Registered,
    topic: str,
    call: Call,
    vitals: Vitals,
    now: float,
    pause: float,
) -> Registered:
    one, used = registered.of(topic), registered.explained
    ends_at = call.ended_at + window(call, vitals)
    in_window = [at for at in vitals.arrivals if call.began_at - SKEW <= at <= ends_at]
    first = min((at for at in in_window if at not in used), default=None)
    if first is not None:
        # Never before the call: whoever asked for it would have it made again and again.
        one = _proven(registered, one, call, max(first, call.began_at), now)
        used = (*used, first)[-_MOST_EXPLAINED:]
    elif now > ends_at + SKEW:
        # What arrived before is no proof of what leads here now.
        one = (
            _unheard(registered, one, call, vitals, now)
            if call.action == PROBE
            else msgspec.structs.replace(failed(one, UNPROVEN, now, pause), proven_at=None)
        )
    return msgspec.structs.replace(registered.with_topic(topic, one), explained=used)


def _proven(
    registered: Registered, one: TopicRegistration, call: Call, at: float, now: float
) -> TopicRegistration:
    is_test = call.action in {Action.TEST, PROBE}
    # Where no test arrives, and creating anew has not changed that, none may ever arrive.
    is_believed = registered.tests_arrive(now) or not one.renewals
    return msgspec.structs.replace(
        one,
        call=None,
        proven_at=at,
        problem=None,
        failures=0,
        not_before=0.0,
        heard_at=at if is_test else one.heard_at,
        unheard_at=None if is_test or not is_believed else one.unheard_at,
    )


def _unheard(
    registered: Registered, one: TopicRegistration, call: Call, vitals: Vitals, now: float
) -> TopicRegistration:
    if call.began_at <= (registered.taken_over_at or 0.0) <= now:
        # It came while receivers and routers may have changed, too.
        return msgspec.structs.replace(one, call=None, probed_at=None)
    if _is_inconclusive(call, vitals):
        return msgspec.structs.replace(one, call=None)
    return msgspec.structs.replace(one, call=None, proven_at=None, unheard_at=now)


def _is_inconclusive(call: Call, vitals: Vitals) -> bool:
    """Tell whether a probe may have come, and we did not take it, or forgot that we did.

    The provider sends again what was answered 503 or too late; and whoever sends an old signed body
    again and again leaves no room for any other arrival.
    """
    since = call.began_at - SKEW
    failures = (each for topic in vitals.topics.values() for each in topic.failures)
    if any(each.at >= since and each.status in _OUR_FAULT for each in failures):
        return True
    return len(vitals.arrivals) >= MOST_ARRIVALS and vitals.arrivals[0] > since
