"""One observation's consequences, worked out from the ledger alone: no Kafka, no waiting."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
import structlog

from config.topics import Topics
from handlers.clock import rfc3339
from handlers.contradiction import contradiction
from handlers.entry import Published
from handlers.fact import Claim, Fact, Interpretation, Reading, Uninterpretable
from handlers.history import ImportSince
from handlers.ledger import Entry, Settlement, settle
from handlers.letters import Reason, letter_id
from handlers.observation import CONFIRMED, Observation, Origin, Position
from handlers.provider import Handler
from handlers.resource import ResourceKey
from handlers.writing import WrittenEvent, write_events
from receiver.accounts.registry import Accounts
from receiver.registration.signs import Sign
from receiver.routing.expiry import Ledger, horizon_in
from receiver.routing.letters import Refusal, bounded
from receiver.routing.signs import announced_by, signs_of, topics_of
from receiver.watches.requests import LookUp, Original

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


_MOST_ROUTES = 10_000
"""Sorts of resources whose topic is remembered: six kinds, test or live, of each account."""


class Consequences(msgspec.Struct, gc=False):
    """What follows from one observation. ``refusals`` become dead letters.

    ``events`` go to ``topic``: an observation is about one resource. ``signs`` tell of the
    account's webhooks, each as often as it is seen. ``history`` counts the facts that were entered
    in the ledger because they are history.
    """

    entry: tuple[bytes, bytes] | None = None
    topic: str = ""
    events: Sequence[WrittenEvent] = ()
    duplicates: int = 0
    history: int = 0
    refusals: list[Refusal] = []
    look_up: LookUp | None = None
    signs: Sequence[Sign] = ()


class Route:
    """Works out what follows from an observation."""

    def __init__(self, accounts: Accounts, topics: Topics, source_base: str = "") -> None:
        self._accounts = accounts
        self._source_base = source_base

        @lru_cache(maxsize=_MOST_ROUTES)
        def topic_of(provider: str, account: str, kind: str, test: bool) -> str | None:
            return topics.for_event(provider=provider, account=account, kind=kind, test=test)

        self._topic_of = topic_of

    def consequences(
        self, key: bytes, observation: Observation, at: Position, ledger: Ledger
    ) -> Consequences:
        """Return what follows from ``observation``, which stands in the inbox under ``key``.

        Never raises: whatever goes wrong with an observation is a dead letter, not a stuck shard.
        """
        try:
            result = self._consider(key, observation, at, ledger)
        except Uninterpretable as refusal:
            result = _refused(observation, refusal.reason, refusal.detail)
        except Exception as error:
            place = msgspec.structs.asdict(at)
            log.exception("an observation could not be read", account=observation.account, at=place)
            result = _refused(observation, Reason.INTERNAL_ERROR, repr(error))
        if result.refusals:
            named = bounded(observation, self._accounts.get(observation.account))
            result.refusals = [
                msgspec.structs.replace(refusal, letter_id=letter_id(named, refusal.reason))
                for refusal in result.refusals
            ]
        return result

    def _consider(
        self, key: bytes, observation: Observation, at: Position, ledger: Ledger
    ) -> Consequences:
        handler = self._accounts.get(observation.account)
        if handler is None:
            detail = f"the account {observation.account!r} is not in the configuration"
            raise Uninterpretable(Reason.UNKNOWN_ACCOUNT, detail)
        said: Interpretation = handler.interpret(observation)
        result = Consequences()
        settlement = None
        if said.reading is not None:
            settlement = self._settle(handler, said.reading, observation, at, ledger, result)
        result.signs = signs_of(handler, observation, said, settlement)
        if said.claim is not None:
            askable = handler.can_look_up(said.claim)
            known = _published(said.claim, ledger, result)
            self._pursue(said.claim, known, askable, key, observation, result)
        if settlement is not None and settlement.withheld and result.look_up is None:
            # While the provider is asked, the observation waits: it comes again with the answer.
            detail = _doubt(settlement.withheld, horizon_in(ledger))
            result.refusals.append(_refusal(observation, Reason.EXPIRED, detail))
        return result

    def _settle(
        self,
        handler: Handler,
        reading: Reading,
        observation: Observation,
        at: Position,
        ledger: Ledger,
        result: Consequences,
    ) -> Settlement:
        """Add what the reading leads to."""
        ledger_key = reading.resource.names.partition_key.encode()
        raw = ledger.get(ledger_key)
        entry = None if raw is None else Entry.decode(raw)
        topics: Mapping[Fact, str] = {}
        announces: Collection[Fact] = ()
        is_reconciled = observation.origin is Origin.RECONCILIATION
        if is_reconciled or (entry is not None and entry.is_unannounced):
            # Else there is nothing that a webhook could have told before, or announces late.
            topics = topics_of(handler, reading)
            announces = announced_by(observation, topics)
        if observation.origin is not Origin.WEBHOOK:
            conflict = contradiction(entry, reading, observation.received_at)
            if conflict is not None:
                result.refusals.append(_refusal(observation, Reason.CONTRADICTS_LEDGER, conflict))
        day = handler.import_start
        settlement = settle(
            entry,
            reading,
            observation.received_at,
            horizon_in(ledger),
            announces=announces,
            unannounced=topics if is_reconciled else (),
            import_since=None if day is None else ImportSince.of(day, observation),
        )
        result.duplicates = settlement.duplicates
        result.history = len(settlement.history)
        if settlement.publications or settlement.announced or settlement.history:
            result.entry = (ledger_key, settlement.entry.encode())
        if settlement.publications:
            result.topic = self._topic(reading.resource)
            result.events = write_events(
                settlement.publications, reading, observation, at, source_base=self._source_base
            )
        return settlement

    def _topic(self, resource: ResourceKey) -> str:
        """Return where the events of a resource go."""
        topic = self._topic_of(resource.provider, resource.account, resource.kind, resource.test)
        if topic is None:
            raise LookupError(f"no topic takes events of kind {resource.kind}")
        return topic

    @staticmethod
    def _pursue(
        claim: Claim,
        known: Published | None,
        askable: bool,
        key: bytes,
        observation: Observation,
        result: Consequences,
    ) -> None:
        """Have the claim looked up, or refuse it; ``known`` is the claimed fact, if published."""
        # Where a reconciliation was faster than the webhook, only the answer shows that a webhook
        # did tell of it. An observation that has its verdict never asks again.
        is_told = known is not None and not known.unannounced
        if is_told or observation.verdict == CONFIRMED:
            return
        if askable and observation.verdict is None:
            original = Original.of(key.decode(errors="replace"), observation)
            result.look_up = LookUp(observation.account, claim, original)
        elif known is None:
            result.refusals.append(_unproven(observation))


def _published(claim: Claim, ledger: Ledger, result: Consequences) -> Published | None:
    """Return what the ledger holds of the claimed fact; None if it holds nothing."""
    if claim.fact is None:
        return None
    key = claim.fact.resource.partition_key.encode()
    raw = result.entry[1] if result.entry and result.entry[0] == key else ledger.get(key)
    published = () if raw is None else Entry.decode(raw).published
    return next((fact for fact in published if fact.id == claim.fact.raw_id), None)


def _unproven(observation: Observation) -> Refusal:
    claimed = f"the topic {observation.topic!r} says more than the body"
    if observation.verdict is None:
        detail = f"{claimed}, and the provider cannot be asked"
        return _refusal(observation, Reason.TOPIC_BEYOND_BODY, detail)
    detail = f"{claimed}, and the provider does not bear it out: {observation.verdict}"
    return _refusal(observation, Reason.CLAIM_NOT_CONFIRMED, detail)


def _doubt(withheld: Sequence[Fact], horizon: datetime | None) -> str:
    facts = ", ".join(fact.action for fact in withheld)
    told = "" if horizon is None else f" {rfc3339(horizon)}"
    return f"{facts}: not dated, or before the ledger's horizon{told}, and so perhaps a repetition"


def _refusal(observation: Observation, reason: str, detail: str) -> Refusal:
    return Refusal(letter_id(observation, reason), reason, detail)


def _refused(observation: Observation, reason: str, detail: str) -> Consequences:
    return Consequences(refusals=[_refusal(observation, reason, detail)])
