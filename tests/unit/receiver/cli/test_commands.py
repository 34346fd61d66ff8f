"""The command as a person meets it first: its help, its start, its errors."""

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from receiver.cli.app import app
from receiver.cli.output import printable
from receiver.kafka import topics
from tests.kafka.ports import free_ports
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND
from tests.unit.receiver.cli.reading import plain

HEAVY = ("aiohttp", "aiokafka", "pydantic", "prometheus_client", "uvloop", "rich.console")
COMMANDS = [
    ["serve"],
    ["check-config"],
    ["doctor"],
    ["tail"],
    ["topics"],
    ["topics", "create"],
    ["topics", "list"],
    ["topics", "repartition"],
    ["topics", "rewind"],
    ["watches"],
    ["watches", "add"],
    ["watches", "list"],
    ["watches", "remove"],
    ["watches", "export"],
    ["watches", "import"],
    ["webhooks"],
    ["webhooks", "list"],
    ["webhooks", "ensure"],
    ["webhooks", "test"],
    ["reconcile"],
    ["dead-letters"],
    ["dead-letters", "list"],
    ["dead-letters", "show"],
    ["dead-letters", "redrive"],
    ["spool"],
    ["spool", "status"],
    ["spool", "drain"],
    ["explain"],
    ["schema"],
    ["schema", "export"],
]

OTHER = '[accounts.other]\nprovider = "voucherry"\nauth_token = "a token"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a right configuration whose Kafka does not answer."""
    file = tmp_path / "payevents.toml"
    [port] = free_ports(1)
    file.write_text(service_config(f"127.0.0.1:{port}", "", tmp_path))
    return file


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    """`--help` answers for each command, and loads nothing to do so."""
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_the_command_starts_light() -> None:
    """What a subcommand needs is imported when it runs, not when the command starts."""
    script = f"import sys, receiver.cli;print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics", "create"],
        ["topics", "list"],
        ["topics", "repartition"],
        ["topics", "rewind", "--role", "route", "--yes"],
        ["tail", "--count", "1"],
        ["watches", "list"],
        ["watches", "export"],
        ["reconcile", "--account", "shop", "--since", "1d"],
        ["webhooks", "list", "--account", "shop"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "x"],
        ["dead-letters", "redrive", "x"],
    ],
    ids=" ".join,
)
def test_kafka_away_is_one_line_that_says_what_to_do(config: Path, arguments: list[str]) -> None:
    """Every command that needs Kafka ends with 1 and one clear line without it."""
    done = CliRunner().invoke(app, [*arguments, "--config", str(config)])
    assert done.exit_code == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("error: Kafka cannot be reached: nobody listens at 127.0.0.1:")
    assert "kafka.bootstrap_servers" in line


def test_a_process_that_finds_no_kafka_says_no_more_than_that(config: Path) -> None:
    """Neither a client's own log nor a warning of what was left open comes after the one line."""
    done = subprocess.run(
        [COMMAND, "dead-letters", "redrive", "x", "--config", config],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: Kafka cannot be reached: ")


def test_the_version_is_told() -> None:
    """`--version` says which is installed, and no command is needed."""
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"payevents {version('payevents')}\n")


def test_a_port_of_a_broker_that_is_not_started_is_refused() -> None:
    """With another Kafka there is no embedded broker: neither option is dropped in silence."""
    done = CliRunner().invoke(app, ["demo", "--kafka-port", "9", "--bootstrap-servers", "a:1"])
    assert done.exit_code == 2
    assert "--kafka-port" in plain(done.stderr)
    assert "not both" in plain(done.stderr)


_MAIN = "from receiver.cli import main; main()"
_TAIL = """
from contextlib import asynccontextmanager
import sys
from receiver.cli import main
from receiver.cli import tail as module

@asynccontextmanager
async def endless(*_, **__):
    async def records():
        while True:
            yield type("Record", (), {"value": b"{}"})
    yield records()

module.following = endless
main()
"""


@pytest.mark.parametrize(
    ("program", "arguments", "code"),
    [
        (["-c", _MAIN], ["--help"], 1),
        (["-c", _MAIN], ["spool", "status"], 1),
        (["-c", _MAIN], ["schema", "export"], 1),
        (["-c", _TAIL], ["tail"], 0),
        (["-c", _TAIL], ["tail", "--json"], 0),
    ],
)
def test_a_reader_who_has_seen_enough_is_no_failure_to_speak_of(
    config: Path, program: list[str], arguments: list[str], code: int
) -> None:
    """A closed pipe ends each command without a word; of tail it is how it ends."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, *program, *arguments],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PAYEVENTS_CONFIG": str(config)},
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_pipe_that_broke_elsewhere_is_told(monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    """A connection can break as a pipe does; standard output tells which it was."""

    async def broken(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(topics, "compare_topics", broken)
    done = CliRunner().invoke(app, ["topics", "list", "--config", str(config)])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


def test_the_doctor_tells_all_that_it_can(config: Path) -> None:
    """Without Kafka the doctor still answers for the rest, and ends with 1."""
    done = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    assert done.exit_code == 1
    verdicts = {f["subject"]: f["verdict"] for f in json.loads(done.output)["findings"]}
    assert verdicts["configuration"] == "ok"
    assert verdicts["kafka"] == "wrong"


def test_one_thing_that_is_wrong_is_one(config: Path) -> None:
    """People are told how many things are wrong, in a sentence that is right."""
    done = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert "configuration: 1 account, no mistake\n" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 thing is wrong"


def test_the_doctor_names_every_mistake(tmp_path: Path) -> None:
    """A configuration that cannot be used is told mistake by mistake, with the remedy."""
    config = tmp_path / "wrong.toml"
    config.write_text('[kafka]\npartitons = 3\n[accounts.x]\nprovider = "smartpai"\n')
    done = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    assert done.exit_code == 1
    findings = json.loads(done.output)["findings"]
    assert [f["subject"] for f in findings] == ["kafka.partitons", "accounts.x.provider"]
    assert all(f["verdict"] == "wrong" and f["remedy"] for f in findings)


def test_check_config_ends_with_2_on_a_mistake(tmp_path: Path) -> None:
    """A mistake is told on standard error, and the exit code says so too."""
    config = tmp_path / "wrong.toml"
    config.write_text("[kafka]\npartitons = 3\n")
    done = CliRunner().invoke(app, ["check-config", "--config", str(config)])
    assert done.exit_code == 2
    assert 'did you mean "partitions"?' in done.stderr


@pytest.mark.parametrize(("accounts", "count"), [("", "1 account"), (OTHER, "2 accounts")])
def test_check_config_names_its_source(tmp_path: Path, accounts: str, count: str) -> None:
    """Which file is right is said, for there may be several."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", tmp_path, accounts=accounts))
    done = CliRunner().invoke(app, ["check-config", "--config", str(file)])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"the configuration is right ({file}): {count}"
    assert "no file was read" not in done.stderr


def test_check_config_without_a_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever forgot the option must not believe that the file is right."""
    monkeypatch.delenv("PAYEVENTS_CONFIG", raising=False)
    done = CliRunner().invoke(app, ["check-config"])
    assert done.exit_code == 0
    assert "warning: no file was read: give --config or set PAYEVENTS_CONFIG\n" in done.stderr
    assert done.stdout == "the configuration is right (the environment): 0 accounts\n"


def test_serve_says_which_address_is_taken(config: Path) -> None:
    """A port that is taken is one clear error, not a traceback."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = config.read_text().replace("[admin]\nport = 0", f"[admin]\nport = {port}")
        config.write_text(text)
        done = subprocess.run(
            [COMMAND, "serve", "--config", config],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert str(port) in done.stderr.splitlines()[-1]


def test_serve_refuses_an_unknown_role(config: Path) -> None:
    """A misspelt role is told with those that there are."""
    done = CliRunner().invoke(app, ["serve", "--roles", "recieve", "--config", str(config)])
    assert done.exit_code == 2
    assert "no such role: recieve" in done.stderr


def test_a_watch_that_cannot_be_is_refused_before_kafka_is_asked(config: Path) -> None:
    """An account that does not exist is told at once."""
    arguments = ["watches", "add", "cherries", "cherries_requests", "1"]
    done = CliRunner().invoke(app, [*arguments, "--config", str(config)])
    assert done.exit_code == 2
    assert done.stderr == "error: there is no account 'cherries'; known are shop\n"


def test_the_watches_of_no_account_are_not_listed(config: Path) -> None:
    """A misspelt account is an error, as it is to the API, and not an empty list."""
    done = CliRunner().invoke(app, ["watches", "list", "--account", "shp", "--config", str(config)])
    assert done.exit_code == 2
    assert done.stderr == "error: there is no account 'shp'; did you mean 'shop'?\n"


def test_the_schemas_are_exported(tmp_path: Path) -> None:
    """Both documents are printed or written as they are published."""
    printed = CliRunner().invoke(app, ["schema", "export"])
    assert json.loads(printed.output)["$id"] == "urn:payevents:payment-event:1"
    asyncapi = CliRunner().invoke(app, ["schema", "export", "--asyncapi"])
    assert json.loads(asyncapi.output)["asyncapi"] == "3.0.0"
    done = CliRunner().invoke(app, ["schema", "export", "--directory", str(tmp_path / "docs")])
    assert done.exit_code == 0
    written = {file.name: file.read_text() for file in (tmp_path / "docs").iterdir()}
    assert written["asyncapi.json"] == asyncapi.output
    assert printed.output in written.values()


def test_what_others_wrote_drives_no_terminal() -> None:
    """Escape sequences in a provider's text are shown, never obeyed."""
    assert printable("a\x1b[2Jb\r\n\tü") == "a\\x1b[2Jb\\r\n\tü"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dead-letters", "list", "--since", "soon"], "since: "),
        (["dead-letters", "list", "--reason", "bad-feild"], "reason: "),
        (["dead-letters", "redrive"], "one of these"),
        (["dead-letters", "redrive", "x", "--all"], "one of these"),
        (["dead-letters", "redrive", "--all", "--reason", "no-id"], "one of these"),
        (["dead-letters", "redrive", "--all", "--rate", "0"], "--rate"),
        (["dead-letters", "show", "x", "--raw", "--json"], "--raw or --json"),
        (["explain"], "--body FILE"),
        (["explain", "aBc123"], "<kind>/<id>"),
        (["explain", "invoice/x", "--since", "soon"], "Invalid value for --since: "),
        (["tail", "--topic", "payments"], "Invalid value for --topic: no topic for events"),
        (["sandbox", "smartpai"], "Invalid value for PROVIDER: there is no provider"),
        (["dead-letters", "redrive", "x", "--timeout", "30"], "Invalid value for --timeout: "),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_what_cannot_be_meant_is_refused_before_kafka_is_asked(
    config: Path, arguments: list[str], told: str
) -> None:
    """A misspelt filter is named with exit code 2: it must not become no filter."""
    configured = [] if arguments[0] == "sandbox" else ["--config", str(config)]
    done = CliRunner().invoke(app, [*arguments, *configured])
    assert done.exit_code == 2
    assert told in plain(done.stderr)


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--role", "route"], 1, "give --yes"),
        (["--yes"], 2, "'--role'"),
        (["--role", "receive", "--yes"], 2, "'--role'"),
    ],
)
def test_a_rewind_is_asked_for_in_so_many_words(
    config: Path, options: list[str], code: int, told: str
) -> None:
    """Without --yes, or without a role that has a position, nothing is done."""
    command = ["topics", "rewind", *options, "--config", str(config)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == code
    assert told in done.output
