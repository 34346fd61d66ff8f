"""What an observation asserts, by the knowledge and the configuration of today."""

from handlers.fact import Uninterpretable
from handlers.letters import Reason, letter_id
from handlers.observation import Observation
from handlers.provider import Handler
from receiver.explaining.evidence import Says
from receiver.routing.letters import bounded


def says(handler: Handler | None, observation: Observation) -> Says:
    """Return what ``observation`` asserts. Never raises, as the router never does."""
    if handler is None:
        account = observation.account
        told = f"{Reason.UNKNOWN_ACCOUNT}: {account!r} is not in the configuration"
        return Says(refusal=told, is_unknown=True)
    try:
        said = handler.interpret(observation)
    except Uninterpretable as refusal:
        return Says(refusal=str(refusal))
    except Exception as error:  # noqa: BLE001 - a defect is part of the story
        return Says(refusal=f"{Reason.INTERNAL_ERROR}: {error!r}")
    facts = () if said.reading is None else said.reading.facts
    return Says(facts=facts, claim=said.claim)


def letter_ids(handler: Handler | None, observation: Observation) -> frozenset[str]:
    """Return the ids of all dead letters that ``observation`` can become, or was while unknown."""
    return frozenset(
        letter_id(named, reason)
        for named in (observation, bounded(observation, handler))
        for reason in Reason
    )
