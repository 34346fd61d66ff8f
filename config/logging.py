"""Logging: structlog and the standard library's loggers through one chain into one stream."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from config.logfilters import (
    SUPPRESSED,
    FloodFilter,
    MalformedRequestFilter,
    MissingTopicFilter,
)
from config.machine import LogFormat, LogLevel

_HANDLER = "payevents"

_LIBRARIES = ("aiohttp", "aiokafka", "asyncio")
"""Never shown below INFO: their debug lines hold requests, with payments and passwords in them."""


def configure(
    stream: TextIO,
    level: LogLevel = "info",
    log_format: LogFormat = "auto",
    *,
    clock: Callable[[], float] = time.monotonic,
    always: Mapping[str, object] | None = None,
) -> None:
    """Send every log line of the process to `stream`; called again, it replaces what it set.

    `clock` is monotonic, in seconds, and paces the lines of libraries that flood. `always` is what
    every line bears, such as which process it is from. A `SecretStr` is shown as asterisks; values
    are never judged by their names.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    on_console = log_format == "console" or (log_format == "auto" and stream.isatty())
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        *([_adding(always)] if always else []),
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A logger made at import must follow a later call of this function.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.set_name(_HANDLER)
    handler.addFilter(MissingTopicFilter())
    handler.addFilter(
        FloodFilter(("aiokafka", "aiohttp"), limit=5, period=timedelta(seconds=10), clock=clock)
    )
    handler.addFilter(MalformedRequestFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.ExtraAdder(allow=[SUPPRESSED])],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(on_console=on_console, colors=stream.isatty()),
            ],
        )
    )
    _install(handler, least)


def _adding(fields: Mapping[str, object]) -> Processor:
    def add(_: object, __: str, line: EventDict) -> EventDict:
        line.update(fields)
        return line

    return add


def _renderers(*, on_console: bool, colors: bool) -> list[Processor]:
    # Tracebacks are plain in both: structlog's own choice would show the values of variables.
    if on_console:
        return [
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [
        structlog.processors.format_exc_info,
        # "event" is a payment event here; a log line has a message.
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_to_json),
    ]


def _to_json(line: EventDict, **_: object) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except orjson.JSONEncodeError:
        # Half a surrogate pair or a huge number in what a provider sent: still a line.
        return json.dumps(line, default=str, skipkeys=True)


def _install(handler: logging.Handler, least: int) -> None:
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(least)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(max(least, logging.INFO))
    # It would write the query strings of requests, and credentials travel there.
    logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)
