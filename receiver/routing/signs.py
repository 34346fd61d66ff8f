"""What an observation tells of how an account's webhooks fare, beside the facts that it asserts.

A webhook that asserts a fact not known before is a sign of life: nobody can send an old one again
to the same effect. A reconciliation that has to publish a fact tells that its webhook did not come.
Which topic that is follows from the facts; the webhook's own word for it is not signed, and counts
only where the facts allow it.

All of that only looks after webhooks, and so must never keep an observation from being routed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from handlers.fact import Fact, Interpretation, Reading
from handlers.ledger import Settlement
from handlers.observation import Observation, Origin
from handlers.provider import Handler
from receiver.registration.signs import Announced, Arrived, Missed, Sign, Unannounced

_TOLD_BY_WEBHOOKS = (Origin.WEBHOOK, Origin.LOOKUP)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def topics_of(handler: Handler, reading: Reading) -> Mapping[Fact, str]:
    """Return which webhook should tell of each fact, by its topic; of the others there is none.

    Empty for test data, and for accounts that the provider calls nobody for. Never raises.
    """
    try:
        if handler.registration is None:
            return {}
        return dict(_with_topics(handler, reading.facts))
    except Exception:
        log.exception("the topics of facts are not known", account=handler.account.name)
        return {}


def announced_by(observation: Observation, topics: Mapping[Fact, str]) -> Collection[Fact]:
    """Return the facts of which a webhook tells here: by its body, or by a confirmed claim.

    A look-up shows more than was claimed, and what more it shows no webhook has told.
    """
    if observation.origin is Origin.WEBHOOK:
        return topics.keys()
    if observation.origin is Origin.LOOKUP:
        claimed = _claimed(observation)
        return [fact for fact, topic in topics.items() if topic in claimed]
    return ()


def signs_of(
    handler: Handler,
    observation: Observation,
    said: Interpretation,
    settlement: Settlement | None,
) -> Sequence[Sign]:
    """Return the signs in an observation that was read and settled. Never raises.

    ``settlement`` is None where there was nothing to settle.
    """
    try:
        if handler.registration is None:
            return ()
        return _signs(handler, observation, said, settlement)
    except Exception:
        log.exception("the signs in an observation are lost", account=observation.account)
        return ()


def _signs(
    handler: Handler,
    observation: Observation,
    said: Interpretation,
    settlement: Settlement | None,
) -> Sequence[Sign]:
    signs: list[Sign] = []
    origin = observation.origin
    if said.answers_us and origin is Origin.WEBHOOK:
        at = observation.received_at.timestamp()
        signs.append(Arrived(observation.account, handler.letter_topic(observation), at))
    if settlement is None:
        return signs
    if origin in _TOLD_BY_WEBHOOKS:
        if settlement.publications or settlement.announced:
            announced = _announced(handler, observation, settlement)
            if announced is not None:
                signs.append(announced)
    elif origin is Origin.RECONCILIATION:
        missed = tuple(_missed(handler, observation, settlement))
        if missed:
            signs.append(Unannounced(observation.account, missed))
    return signs


def _announced(
    handler: Handler, observation: Observation, settlement: Settlement
) -> Announced | None:
    facts = [new.fact for new in settlement.publications]
    if settlement.announced:
        facts = sorted((*facts, *settlement.announced), key=lambda fact: fact.order_key)
    is_webhook = observation.origin is Origin.WEBHOOK
    claimed = None if is_webhook else _claimed(observation)
    told = _dates(handler, facts, claimed)
    if not told:
        return None
    topic = handler.letter_topic(observation)
    if topic not in told:
        topic = next(reversed(told))
    return Announced(
        observation.account,
        topic,
        observation.received_at.timestamp(),
        _delay(observation, told[topic]) if is_webhook else None,
        observation.signed_with,
        tuple([str(fact.id) for fact in settlement.announced]) if settlement.announced else (),
    )


def _dates(
    handler: Handler, facts: Sequence[Fact], claimed: Collection[str] | None
) -> dict[str, datetime | None]:
    """Return when the latest of what each topic tells happened, None where nobody dates it.

    The topic of the last fact comes last. Only those ``claimed`` count, unless that is None.
    """
    dates: dict[str, datetime | None] = {}
    if not facts or facts[0].resource.test:
        return dates
    for fact in facts:
        topic = handler.announcing_topic(fact)
        if topic is not None and (claimed is None or topic in claimed):
            at, before = fact.occurred_at, dates.pop(topic, None)
            dates[topic] = at if before is None or (at is not None and at > before) else before
    return dates


def _with_topics(handler: Handler, facts: Sequence[Fact]) -> Sequence[tuple[Fact, str]]:
    """Return the facts, all of one resource, that a webhook should tell of, with its topic."""
    if not facts or facts[0].resource.test:
        return ()
    announcing = handler.announcing_topic
    return [(fact, topic) for fact in facts if (topic := announcing(fact)) is not None]


def _claimed(observation: Observation) -> Collection[str]:
    """Return the topics whose claims had this looked up."""
    return (observation.claimed or "").split()


def _delay(observation: Observation, happened_at: datetime | None) -> float | None:
    """Return the seconds from the latest of what the topic tells to its arrival, None if unknown.

    Older facts say nothing of it: a webhook shows them because they were not known either.
    """
    if happened_at is None:
        return None
    delay = (observation.received_at - happened_at).total_seconds()
    return None if delay < 0 else delay


def _missed(handler: Handler, observation: Observation, settlement: Settlement) -> Iterator[Missed]:
    if observation.letter_id is not None:
        # It was read long ago: its webhook would be blamed at once, and may have come since.
        return
    for fact, topic in _with_topics(handler, [new.fact for new in settlement.publications]):
        since = [at for at in (fact.occurred_at, observation.news_since) if at is not None]
        yield Missed(
            str(fact.id),
            topic,
            f"{fact.resource.kind}/{fact.resource.id}",
            max(since).timestamp() if since else None,
            observation.received_at.timestamp(),
        )
