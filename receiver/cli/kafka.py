"""Running a subcommand that speaks to Kafka: its errors become one line that says what to do."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from config.logging import configure
from config.settings import Settings
from receiver.cli.context import fail
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients
from receiver.kafka.options import clients_for
from receiver.kafka.reading import NoSuchTopic, partitions_of
from receiver.kafka.snapshot import SnapshotFailed
from receiver.kafka.topics import TopicsFailed

_T = TypeVar("_T")
_CONNECT_WITHIN = 10.0
_LOOK_EVERY = 0.05


def run(settings: Settings, work: Callable[[Clients], Coroutine[Any, Any, _T]]) -> _T:
    """Return what ``work`` returns, or end the command with one line on standard error."""
    try:
        return run_quietly(settings, work)
    except (SnapshotFailed, NotDurable, NoSuchTopic, TopicsFailed) as error:
        raise fail(failure_text(error.__cause__ or error, settings, str(error))) from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise fail(failure_text(error, settings, f"Kafka refused: {error!r}")) from None


def run_quietly(settings: Settings, work: Callable[[Clients], Coroutine[Any, Any, _T]]) -> _T:
    """Return what ``work`` returns, with its errors left to the caller."""
    configure(sys.stderr, "error", "console")
    # The library's own lines would only hide the one that says what to do.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    return asyncio.run(work(clients_for(settings.kafka)))


def failure_text(error: BaseException, settings: Settings, otherwise: str) -> str:
    """Return what went wrong and what to do; ``otherwise`` where nothing better is known."""
    servers = settings.kafka.bootstrap_servers
    match error:
        case SaslAuthenticationFailed():
            told = "check kafka.sasl_username, sasl_password and sasl_mechanism"
            return f"Kafka at {servers} refuses the credentials: {told}"
        case TopicAuthorizationFailedError():
            return f"{otherwise}; give the user the rights to read and write the topics"
        case KafkaConnectionError() | TimeoutError():
            return (
                f"Kafka cannot be reached at {servers}: check that it runs, and"
                " kafka.bootstrap_servers and kafka.security_protocol in the configuration"
            )
        case OSError():
            return f"{error}: check the files and addresses in [kafka]"
        case _:
            return otherwise


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
