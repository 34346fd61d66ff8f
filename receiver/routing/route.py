"""What follows from observations, worked out from the ledger alone: no Kafka, no waiting."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial

import msgspec
import structlog

from config.topics import Topics
from handlers.clock import rfc3339
from handlers.contradiction import contradiction
from handlers.entry import Published
from handlers.fact import Claim, Fact, Reading, Uninterpretable
from handlers.history import ImportSince
from handlers.ledger import Entry, Settlement, settle
from handlers.letters import Reason, letter_id
from handlers.observation import CONFIRMED, Observation, Origin
from handlers.provider import Handler
from handlers.resource import ResourceKey
from handlers.writing import write_events
from receiver.accounts.registry import Accounts
from receiver.routing.known import Known, Ledger
from receiver.routing.letters import Refusal, bounded, refusal_of
from receiver.routing.signs import announced_by, signs_of, topics_of
from receiver.routing.steps import Case, Consequences, Progress, take_step
from receiver.watches.requests import LookUp, Original

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


_MOST_ROUTES = 10_000
"""Sorts of resources whose topic is remembered: six kinds, test or live, of each account."""


class Route:
    """Works out what follows from observations."""

    def __init__(self, accounts: Accounts, topics: Topics, source_base: str = "") -> None:
        self._accounts = accounts
        self._source_base = source_base

        @lru_cache(maxsize=_MOST_ROUTES)
        def topic_of(provider: str, account: str, kind: str, test: bool) -> str | None:
            return topics.for_event(provider=provider, account=account, kind=kind, test=test)

        self._topic_of = topic_of

    def consequences(self, cases: Sequence[Case], ledger: Ledger) -> Sequence[Consequences]:
        """Return what follows from each case, as if what follows from those before were written.

        Never raises: whatever goes wrong with an observation is a dead letter, not a stuck shard.
        """
        known = Known(ledger)
        progress = [Progress(case, Consequences()) for case in cases]
        take_step(self._interpret, progress)
        take_step(partial(self._consider, known), progress)
        try:
            # Steps after which nothing may be refused alone.
            self._write(progress)
        except Exception as error:
            if len(cases) > 1:
                # What came after it was settled as if its events were published.
                return self._one_by_one(cases, ledger)
            (failed,) = progress
            log.exception("events could not be written", **failed.place)
            failed.refuse(Reason.INTERNAL_ERROR, repr(error))
        for each in progress:
            if each.result.refusals:
                self._name_letters(each)
        return [each.result for each in progress]

    def _one_by_one(self, cases: Sequence[Case], ledger: Ledger) -> Sequence[Consequences]:
        known = Known(ledger)
        results: list[Consequences] = []
        for case in cases:
            (result,) = self.consequences([case], known)
            if result.entry is not None:
                known.enter(*result.entry)
            results.append(result)
        return results

    def _interpret(self, each: Progress) -> None:
        observation = each.case.observation
        handler = self._accounts.get(observation.account)
        if handler is None:
            detail = f"the account {observation.account!r} is not in the configuration"
            raise Uninterpretable(Reason.UNKNOWN_ACCOUNT, detail)
        each.handler, each.said = handler, handler.interpret(observation)

    def _consider(self, known: Known, each: Progress) -> None:
        """Settle the reading, and pursue the claim: all that needs the ledger."""
        case, handler, said, result = each.case, each.handler, each.said, each.result
        if handler is None:
            return
        settlement = None
        if said.reading is not None:
            settlement = self._settle(handler, said.reading, case, known, result)
        if said.claim is not None:
            askable = handler.can_look_up(said.claim)
            published = _published(said.claim, known, result)
            self._pursue(said.claim, published, askable, case, result)
        if settlement is not None and settlement.withheld and result.look_up is None:
            # While the provider is asked, the observation waits: it comes again with the answer.
            detail = _doubt(settlement.withheld, case.horizon)
            result.refusals.append(refusal_of(case.observation, Reason.EXPIRED, detail))
        each.settlement = settlement
        if result.entry is not None:
            # Last: of a case that fails on the way, nothing is entered.
            known.enter(*result.entry)

    def _settle(
        self,
        handler: Handler,
        reading: Reading,
        case: Case,
        ledger: Ledger,
        result: Consequences,
    ) -> Settlement:
        """Add what the reading does to the ledger."""
        observation = case.observation
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
                result.refusals.append(refusal_of(observation, Reason.CONTRADICTS_LEDGER, conflict))
        day = handler.import_start
        settlement = settle(
            entry,
            reading,
            observation.received_at,
            case.horizon,
            announces=announces,
            unannounced=topics if is_reconciled else (),
            import_since=None if day is None else ImportSince.of(day, observation),
        )
        result.duplicates = settlement.duplicates
        result.history = len(settlement.history)
        if settlement.publications or settlement.announced or settlement.history:
            result.entry = (ledger_key, settlement.entry.encode())
        return settlement

    def _write(self, progress: Sequence[Progress]) -> None:
        for each in progress:
            _look_for_signs(each)
        for each in progress:
            self._write_events(each)

    def _write_events(self, each: Progress) -> None:
        settlement, said = each.settlement, each.said
        if settlement is not None and said.reading is not None and settlement.publications:
            case, reading, result = each.case, said.reading, each.result
            result.topic = self._topic(reading.resource)
            result.events = write_events(
                settlement.publications,
                reading,
                case.observation,
                case.at,
                source_base=self._source_base,
            )

    def _name_letters(self, each: Progress) -> None:
        """Give each refusal the id of its letter, of which no stranger can make many."""
        observation, result = each.case.observation, each.result
        named = bounded(observation, self._accounts.get(observation.account))
        result.refusals = [
            msgspec.structs.replace(refusal, letter_id=letter_id(named, refusal.reason))
            for refusal in result.refusals
        ]

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
        case: Case,
        result: Consequences,
    ) -> None:
        """Have the claim looked up, or refuse it; ``known`` is the claimed fact, if published."""
        # Where a reconciliation was faster than the webhook, only the answer shows that a webhook
        # did tell of it. An observation that has its verdict never asks again.
        observation = case.observation
        is_told = known is not None and not known.unannounced
        if is_told or observation.verdict == CONFIRMED:
            return
        if askable and observation.verdict is None:
            original = Original.of(case.key.decode(errors="replace"), observation)
            result.look_up = LookUp(observation.account, claim, original)
        elif known is None:
            result.refusals.append(_unproven(observation))


def _look_for_signs(each: Progress) -> None:
    if each.handler is not None:
        observation = each.case.observation
        each.result.signs = signs_of(each.handler, observation, each.said, each.settlement)


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
        return refusal_of(observation, Reason.TOPIC_BEYOND_BODY, detail)
    detail = f"{claimed}, and the provider does not bear it out: {observation.verdict}"
    return refusal_of(observation, Reason.CLAIM_NOT_CONFIRMED, detail)


def _doubt(withheld: Sequence[Fact], horizon: datetime | None) -> str:
    facts = ", ".join(fact.action for fact in withheld)
    told = "" if horizon is None else f" {rfc3339(horizon)}"
    return f"{facts}: not dated, or before the ledger's horizon{told}, and so perhaps a repetition"
