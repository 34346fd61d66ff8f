"""Proof: which arrival a call of ours explains, and what it means that none came.

Creating, modifying and testing a subscription make the provider call its URL. Only an arrival
within the window of such a call proves anything: the webhook's topic is not signed, and anyone who
has seen an old body can send it again at any other time.
"""

from collections.abc import Sequence

import msgspec

from receiver.registration.registered import Call, Registered, TopicRegistration

WINDOW = 60.0
"""Seconds after a call's answer within which what it caused may still arrive."""

_SKEW = 5.0
"""Seconds by which the clocks of receivers and of whoever made the call may differ."""

_MOST_EXPLAINED = 20
_MOST_DOUBLINGS = 20
_LONGEST_PAUSE = 3600.0
"""Seconds: whatever is not registered costs payments, so it is tried every hour at least."""

UNPROVEN = (
    "the provider says that the URL answered, but nothing arrived here: the URL leads elsewhere,"
    " or what arrives is not signed with a key of this account"
)


def settled(
    registered: Registered, arrivals: Sequence[float], now: float, pause: float
) -> Registered:
    """Return ``registered`` with each waiting call proven, given up, or still waiting.

    A call that is given up counts as a failure; ``pause`` is for how many seconds no other step is
    made then, longer with each failure in a row (see :func:`failed`).
    """
    for topic, one in registered.topics.items():
        if one.call is not None:
            registered = _settled(registered, topic, one.call, arrivals, now, pause)
    return registered


def failed(one: TopicRegistration, why: str, now: float, pause: float) -> TopicRegistration:
    """Return a topic whose step failed, with its pause: twice as long each time, up to a limit."""
    wait = min(pause * 2.0 ** min(one.failures, _MOST_DOUBLINGS), _LONGEST_PAUSE)
    return msgspec.structs.replace(
        one, call=None, problem=why, failures=one.failures + 1, not_before=now + wait
    )


def _settled(
    registered: Registered,
    topic: str,
    call: Call,
    arrivals: Sequence[float],
    now: float,
    pause: float,
) -> Registered:
    one, used = registered.of(topic), registered.explained
    in_window = [at for at in arrivals if call.began_at - _SKEW <= at <= call.ended_at + WINDOW]
    first = min((at for at in in_window if at not in used), default=None)
    if first is not None:
        # Never before the call: whoever asked for it would have it made again and again.
        proven_at = max(first, call.began_at)
        one = msgspec.structs.replace(
            one, call=None, proven_at=proven_at, problem=None, failures=0, not_before=0.0
        )
        used = (*used, first)[-_MOST_EXPLAINED:]
    elif now > call.ended_at + WINDOW + _SKEW:
        # What arrived before is no proof of what leads here now.
        one = msgspec.structs.replace(failed(one, UNPROVEN, now, pause), proven_at=None)
    return msgspec.structs.replace(registered.with_topic(topic, one), explained=used)
