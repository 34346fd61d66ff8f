"""Running a subcommand that speaks to Kafka: its errors become one line that says what to do."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from config.logging import configure
from config.settings import Settings
from receiver.cli.context import fail
from receiver.cli.output import is_unread
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.options import clients_for
from receiver.kafka.reach import obstacle
from receiver.kafka.reading import NoSuchTopic, partitions_of
from receiver.kafka.rights import forbidden
from receiver.kafka.snapshot import SnapshotFailed
from receiver.kafka.strays import strays_are_errors
from receiver.kafka.topics import TopicsFailed

_T = TypeVar("_T")
_CONNECT_WITHIN = 10.0
_LOOK_EVERY = 0.05


def run(settings: Settings, work: Callable[[Clients], Coroutine[Any, Any, _T]]) -> _T:
    """Return what ``work`` returns, or end the command with one line on standard error.

    Raises:
        BrokenPipeError: nobody reads standard output any more; Typer ends the command quietly.
    """
    try:
        return run_quietly(settings, work)
    except (SnapshotFailed, NotDurable, NoSuchTopic, TopicsFailed) as error:
        raise fail(str(failure(error.__cause__ or error, settings, str(error)))) from None
    except (KafkaError, OSError, TimeoutError) as error:
        if isinstance(error, BrokenPipeError) and is_unread():
            raise
        raise fail(str(failure(error, settings, f"Kafka refused: {error!r}"))) from None


def run_quietly(settings: Settings, work: Callable[[Clients], Coroutine[Any, Any, _T]]) -> _T:
    """Return what ``work`` returns, with its errors left to the caller."""
    configure(sys.stderr, "error", "console")
    # The library's own lines would only hide the one that says what to do.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    return asyncio.run(_run(work, clients_for(settings.kafka)))


async def _run(work: Callable[[Clients], Coroutine[Any, Any, _T]], clients: Clients) -> _T:
    with strays_are_errors():
        return await work(clients)


class Failure(NamedTuple):
    """What went wrong, and what to do about it; nothing if that is not known."""

    told: str
    remedy: str = ""

    def __str__(self) -> str:
        return "; ".join(filter(None, self))


def failure(error: BaseException, settings: Settings, otherwise: str) -> Failure:
    """Return what went wrong; ``otherwise`` where nothing better is known."""
    refused = forbidden(error)
    match error:
        case _ if refused is not None:
            return Failure(refused.why, refused.remedy)
        case KafkaConnectionError() | TimeoutError():
            return _unreachable(settings)
        case OSError():
            return Failure(str(error), "check the files and addresses in [kafka]")
        case _:
            return Failure(otherwise)


def _unreachable(settings: Settings) -> Failure:
    found = run_quietly(settings, obstacle)
    if found is not None:
        return Failure(f"Kafka cannot be reached: {found.why}", found.remedy)
    servers = settings.kafka.bootstrap_servers
    remedy = "look at its brokers, and at the addresses that they give to their clients"
    return Failure(f"Kafka answers at {servers}, and does not do what it is asked", remedy)


@asynccontextmanager
async def appending(settings: Settings, clients: Clients) -> AsyncIterator[Appender]:
    """Yield an appender that has reached Kafka.

    Raises:
        NoSuchTopic: the topics that it appends to are not there.
        KafkaError: Kafka cannot be reached.
    """
    topics = (settings.topics.inbox, settings.topics.watch_requests)
    await partitions_of(clients, topics)
    appender = Appender(clients, topics)
    task = asyncio.create_task(appender.run())
    try:
        await _until_available(appender)
        yield appender
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until_available(appender: Appender) -> None:
    try:
        async with asyncio.timeout(_CONNECT_WITHIN):
            while not appender.available:  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        raise NotDurable(appender.problem) from None
