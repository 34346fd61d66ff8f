"""An intake as somebody who waits for it sees it."""

import asyncio

from handlers.observation import Observation
from receiver.intake import Intake


async def taken(intake: Intake, observation: Observation) -> bool:
    """Return whether Kafka took ``observation``, or the spool.

    Raises:
        Exception: what the intake told.
    """
    ended: asyncio.Future[bool | Exception] = asyncio.get_running_loop().create_future()
    intake.take("key", observation, ended.set_result)
    outcome = await ended
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
