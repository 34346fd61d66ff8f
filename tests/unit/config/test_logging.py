"""Log lines: their form, and what never stands in them."""

import inspect
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiokafka.cluster
import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import SecretStr

from config.logfilters import FloodFilter
from config.logging import configure


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    names = ("", "aiohttp", "aiokafka", "asyncio", "aiohttp.access")
    handlers, levels = list(root.handlers), {n: logging.getLogger(n).level for n in names}
    configured = structlog.get_config()
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(**configured)
    structlog.contextvars.clear_contextvars()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_bears_what_it_is_always_to_bear() -> None:
    """Whichever logger it is from, ours or a library's."""
    stream = io.StringIO()
    configure(stream, always={"worker": 3})
    structlog.get_logger("payevents.test").info("ours")
    logging.getLogger("aiokafka").warning("theirs")
    assert [(line["message"], line["worker"]) for line in _lines(stream)] == [
        ("ours", 3),
        ("theirs", 3),
    ]


def test_json_where_there_is_no_terminal() -> None:
    """A line is one JSON object with time in UTC, level, logger, message, context and values."""
    stream = io.StringIO()
    configure(stream)
    structlog.contextvars.bind_contextvars(account="shop")
    structlog.get_logger("payevents.test").info("accepted", bytes=12)
    (line,) = _lines(stream)
    written = datetime.fromisoformat(line.pop("timestamp"))
    assert written.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    assert line == {
        "level": "info",
        "logger": "payevents.test",
        "message": "accepted",
        "account": "shop",
        "bytes": 12,
    }


def test_console_on_a_terminal_and_as_configured() -> None:
    """A terminal gets lines for people; the format that is set counts more."""
    terminal, pipe = _Terminal(), io.StringIO()
    configure(terminal)
    structlog.get_logger().info("hello")
    configure(pipe, log_format="console")
    structlog.get_logger().info("hello")
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in pipe.getvalue()
    assert "hello" in pipe.getvalue()
    terminal = _Terminal()
    configure(terminal, log_format="json")
    structlog.get_logger().info("hello")
    assert _lines(terminal)[0]["message"] == "hello"


def test_the_standard_library_takes_the_same_way() -> None:
    """A library's line is as the service's own, with its arguments filled in."""
    stream = io.StringIO()
    configure(stream)
    structlog.contextvars.bind_contextvars(account="shop")
    logging.getLogger("aiokafka.client").warning("no node %s", 3)
    (line,) = _lines(stream)
    assert (line["message"], line["level"]) == ("no node 3", "warning")
    assert (line["logger"], line["account"]) == ("aiokafka.client", "shop")


def test_levels() -> None:
    """Lines below the level are left out, of the service and of libraries."""
    stream = io.StringIO()
    configure(stream, "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("aiohttp.client").info("quiet")
    structlog.get_logger().warning("told")
    assert [line["message"] for line in _lines(stream)] == ["told"]


def test_libraries_never_show_debug_lines() -> None:
    """At debug, the service tells more; libraries, which would print requests, do not."""
    stream = io.StringIO()
    configure(stream, "debug")
    structlog.get_logger().debug("told")
    for name in ("aiokafka.conn", "aiohttp.server", "asyncio", "aiohttp.access"):
        logging.getLogger(name).debug("request with a password")
    logging.getLogger("aiohttp.access").info("GET /?token=hush")
    assert [line["message"] for line in _lines(stream)] == ["told"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_and_no_variable_is_shown(log_format: Any) -> None:
    """Secrets are asterisks, and tracebacks do not show the values of variables."""
    stream = io.StringIO()
    configure(stream, log_format=log_format)
    log, secret = structlog.get_logger(), SecretStr("hush")
    log.info("signed", key=secret, nested={"keys": [secret]})
    password = "".join(["hu", "sh"])
    try:
        int(f"x{len(password)}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed")
    assert "hush" not in stream.getvalue()
    assert "**********" in stream.getvalue()
    assert stream.getvalue().count("ValueError") == 2


def test_a_malformed_request_is_not_repeated() -> None:
    """An error of aiohttp about a request that is not HTTP keeps its kind and loses its bytes."""
    stream = io.StringIO()
    configure(stream)
    error = BadHttpMessage("Authorization: hush")
    logging.getLogger("aiohttp.server").error("Error from %s", "10.0.0.1", exc_info=error)
    assert "hush" not in stream.getvalue()
    assert _lines(stream)[0]["message"] == "Error from 10.0.0.1: BadHttpMessage"


def test_values_that_are_hard_to_write() -> None:
    """Half a surrogate pair, a huge number and odd keys still make a line of JSON."""
    stream = io.StringIO()
    configure(stream)
    structlog.get_logger().info("odd", text="\ud800", number=10**40, table={1: {2}})
    (line,) = _lines(stream)
    assert (line["text"], line["number"]) == ("\ud800", 10**40)


def test_configured_again_it_replaces() -> None:
    """A second call moves all lines, also those of loggers made before, to the new stream."""
    first, second = io.StringIO(), io.StringIO()
    log = structlog.get_logger()
    configure(first)
    log.info("one")
    configure(second)
    log.info("two")
    assert [line["message"] for line in _lines(first)] == ["one"]
    assert [line["message"] for line in _lines(second)] == ["two"]


def test_floods_are_counted() -> None:
    """A library that repeats itself is cut short, and says how often when it goes on."""
    now, stream = [0.0], io.StringIO()
    configure(stream, clock=lambda: now[0])
    log = logging.getLogger("aiokafka.client")
    for node in range(100):
        log.warning("no node %s", node)
    now[0] = 10.0
    log.warning("no node %s", 100)
    lines = _lines(stream)
    assert [line["message"] for line in lines] == [f"no node {n}" for n in (0, 1, 2, 3, 4, 100)]
    assert [line.get("suppressed") for line in lines] == [None] * 5 + [95]


def test_a_missing_topic_is_left_to_who_waits_for_it() -> None:
    """Aiokafka's line for each missing topic is left out, and its other lines are not."""
    stream = io.StringIO()
    configure(stream)
    log = logging.getLogger("aiokafka.cluster")
    template = "Topic %s not found in cluster metadata"
    assert template in inspect.getsource(aiokafka.cluster)
    log.error(template, "payevents.inbox")
    log.error("Topic %s is not authorized for this client", "payevents.inbox")
    [line] = _lines(stream)
    assert line["message"] == "Topic payevents.inbox is not authorized for this client"


def _record(name: str, template: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, __file__, 1, template, args, None)


def test_the_flood_filter_tells_lines_apart() -> None:
    """Each logger and template is counted for itself, and other loggers not at all."""
    flood = FloodFilter(("lib",), limit=1, period=timedelta(seconds=10), clock=lambda: 0.0)
    assert flood.filter(_record("lib.a", "x %s", 1))
    assert not flood.filter(_record("lib.a", "x %s", 2))
    assert flood.filter(_record("lib.a", "y"))
    assert flood.filter(_record("lib", "x %s", 1))
    for _ in range(5):
        assert flood.filter(_record("library", "x %s", 1))


def test_the_flood_filter_forgets() -> None:
    """Templates that differ each time do not add up in memory."""
    flood = FloodFilter(("lib",), limit=1, period=timedelta(seconds=10), clock=lambda: 0.0)
    for number in range(2000):
        assert flood.filter(_record("lib", f"line {number}"))
    assert len(flood._windows) <= 512
