"""What an observation tells of how an account's webhooks fare, beside the facts that it asserts.

A webhook that asserts a fact not known before is a sign of life: nobody can send an old one again
to the same effect. A reconciliation that has to publish a fact tells that its webhook did not come.
Which topic that is follows from the facts; the webhook's own word for it is not signed, and counts
only where the facts allow it.

All of that only looks after webhooks, and so must never keep an observation from being routed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import structlog

from handlers.fact import Fact, Interpretation, Reading
from handlers.ledger import Settlement
from handlers.observation import Observation, Origin
from handlers.provider import Handler
from receiver.registration.signs import Announced, Arrived, Missed, Sign, Unannounced

_TOLD_BY_WEBHOOKS = (Origin.WEBHOOK, Origin.LOOKUP)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def topics_of(handler: Handler, reading: Reading | None) -> Mapping[Fact, str]:
    """Return which webhook should tell of each fact, by its topic; of the others there is none.

    Empty for test data, and for accounts that the provider calls nobody for. Never raises.
    """
    if reading is None or reading.resource.test:
        return {}
    try:
        if handler.registration is None:
            return {}
        announcing = handler.announcing_topic
        return {fact: topic for fact in reading.facts if (topic := announcing(fact)) is not None}
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
        claimed = (observation.claimed or "").split()
        return [fact for fact, topic in topics.items() if topic in claimed]
    return ()


def signs_of(
    handler: Handler,
    observation: Observation,
    said: Interpretation,
    topics: Mapping[Fact, str],
    settlement: Settlement | None,
) -> Sequence[Sign]:
    """Return the signs in an observation that was read and settled. Never raises.

    ``topics`` are those of :func:`topics_of`, ``settlement`` is None where there was nothing to
    settle.
    """
    try:
        if handler.registration is None:
            return ()
        return _signs(handler, observation, said, topics, settlement)
    except Exception:
        log.exception("the signs in an observation are lost", account=observation.account)
        return ()


def _signs(
    handler: Handler,
    observation: Observation,
    said: Interpretation,
    topics: Mapping[Fact, str],
    settlement: Settlement | None,
) -> Sequence[Sign]:
    signs: list[Sign] = []
    if observation.origin is Origin.WEBHOOK and said.answers_us:
        at = observation.received_at.timestamp()
        signs.append(Arrived(observation.account, handler.letter_topic(observation), at))
    if settlement is not None and observation.origin in _TOLD_BY_WEBHOOKS:
        announced = _announced(handler, observation, topics, settlement)
        if announced is not None:
            signs.append(announced)
    elif observation.origin is Origin.RECONCILIATION and settlement is not None:
        missed = tuple(_missed(observation, topics, settlement))
        if missed:
            signs.append(Unannounced(observation.account, missed))
    return signs


def _announced(
    handler: Handler, observation: Observation, topics: Mapping[Fact, str], settlement: Settlement
) -> Announced | None:
    if not settlement.publications and not settlement.announced:
        return None
    by_webhook = announced_by(observation, topics)
    told = [new.fact for new in settlement.publications if new.fact in by_webhook]
    if settlement.announced:
        late = (fact for fact in settlement.announced if fact in by_webhook)
        told = sorted((*told, *late), key=lambda fact: fact.order_key)
    if not told:
        return None
    topic = handler.letter_topic(observation)
    of_topic = [fact for fact in told if topics[fact] == topic]
    if not of_topic:
        topic = topics[told[-1]]
        of_topic = [fact for fact in told if topics[fact] == topic]
    return Announced(
        observation.account,
        topic,
        observation.received_at.timestamp(),
        delay=_delay(observation, of_topic) if observation.origin is Origin.WEBHOOK else None,
        signed_with=observation.signed_with,
        facts=tuple(str(fact.id) for fact in settlement.announced),
    )


def _delay(observation: Observation, facts: Collection[Fact]) -> float | None:
    """Return the seconds from the latest of what the topic tells to its arrival, None if unknown.

    Older facts say nothing of it: a webhook shows them because they were not known either.
    """
    dates = [fact.occurred_at for fact in facts if fact.occurred_at is not None]
    if not dates:
        return None
    delay = (observation.received_at - max(dates)).total_seconds()
    return None if delay < 0 else delay


def _missed(
    observation: Observation, topics: Mapping[Fact, str], settlement: Settlement
) -> Iterator[Missed]:
    if observation.letter_id is not None:
        # It was read long ago: its webhook would be blamed at once, and may have come since.
        return
    for publication in settlement.publications:
        fact = publication.fact
        if fact in topics:
            since = [at for at in (fact.occurred_at, observation.news_since) if at is not None]
            yield Missed(
                str(fact.id),
                topics[fact],
                f"{fact.resource.kind}/{fact.resource.id}",
                max(since).timestamp() if since else None,
                observation.received_at.timestamp(),
            )
