"""`payevents explain`: where it found nothing, it says where it looked."""

import json
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from typer.testing import CliRunner, Result

from receiver.cli.app import app
from receiver.explaining.evidence import Evidence
from receiver.explaining.gathering import Gatherer
from receiver.spool.file import Spooled, SpoolFile
from tests.support.configuration import service_config

CHERRIES = '[accounts.cherries]\nprovider = "voucherry"\nauth_token = "a token"\n'


@pytest.fixture(autouse=True)
def _empty_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Kafka know nothing of anybody."""

    async def nothing(*_: object) -> list[Evidence]:
        return []

    monkeypatch.setattr(Gatherer, "gather", nothing)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration with two accounts, whose spool's folder is not there."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", tmp_path / "spool", accounts=CHERRIES))
    return file


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """Return a file with a webhook's body."""
    file = tmp_path / "body"
    file.write_text('{"id": "i1"}')
    return file


def run(config: Path, *arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["explain", *arguments, "--config", str(config)])


def test_where_nothing_was_found_it_says_where_it_looked(config: Path) -> None:
    """The accounts that were searched end the sentence, and are in the JSON."""
    done = run(config, "invoice/i1")
    assert done.exit_code == 1
    assert done.stdout == "nothing is known of invoice/i1 (searched: shop, cherries)\n"
    assert done.stderr == ""
    assert json.loads(run(config, "invoice/i1", "--json").stdout)["searched"] == [
        "shop",
        "cherries",
    ]


def test_an_account_that_is_not_configured_is_noted(config: Path) -> None:
    """It may have been removed, or be misspelt: who reads it can tell."""
    done = run(config, "invoice/i1", "--account", "nope")
    assert done.exit_code == 1
    assert done.stdout == "nothing is known of invoice/i1 (searched: nope)\n"
    told = "note: account 'nope' is not in the configuration; it was looked for at every provider\n"
    assert done.stderr == told


def test_without_any_account_nothing_is_searched(tmp_path: Path, body: Path) -> None:
    """Nobody is told that nothing is known where nobody looked; a named account is looked for."""
    config = tmp_path / "empty.toml"
    config.write_text("")
    told = "error: no account is configured, so nothing was searched: give --config"
    named, traced = run(config, "invoice/i1"), run(config, "--body", str(body))
    assert (named.exit_code, named.stderr) == (1, f"{told}, or --account\n")
    assert (traced.exit_code, traced.stderr) == (1, f"{told}\n")
    assert named.stdout == traced.stdout == ""
    assert run(config, "invoice/i1", "--account", "shop").stdout.endswith("(searched: shop)\n")


def test_bytes_never_arrived_only_where_all_was_read(
    config: Path, body: Path, tmp_path: Path
) -> None:
    """With a spool that cannot be looked into, they were merely not found."""
    whole = run(config, "--body", str(body))
    assert whole.stdout.startswith("these bytes never arrived here: ")
    assert whole.stdout.endswith("(searched: shop, cherries)\n\n")
    (tmp_path / "spool").touch()
    part = run(config, "--body", str(body))
    assert part.stdout.startswith("these bytes were not found: ")
    assert part.stderr.startswith("warning: the spool cannot be read: ")
    assert "Not a directory; check spool.directory" in part.stderr
    assert whole.exit_code == part.exit_code == 1


def test_a_body_that_cannot_be_read_is_named_once(config: Path, tmp_path: Path) -> None:
    """The file and what is wrong with it."""
    done = run(config, "--body", str(tmp_path / "missing"))
    assert done.exit_code == 1
    assert done.stderr == f"error: {tmp_path / 'missing'}: No such file or directory\n"


@pytest.fixture
def _without_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody answer at Kafka's address."""

    async def refused(*_: object) -> list[Evidence]:
        raise KafkaConnectionError("refused")

    monkeypatch.setattr(Gatherer, "gather", refused)


def spool(folder: Path, *bodies: bytes) -> SpoolFile:
    """Return a spool file that holds webhooks about the invoice ``i1``."""
    folder.mkdir()
    file = SpoolFile(folder / "left.spool", 1 << 20)
    headers = {"account": b"shop", "origin": b"webhook", "topic": b"invoice/created"}
    headers["received-at"] = b"2026-01-01T00:00:00Z"
    named = [(f"payevents-{name}", value) for name, value in headers.items()]
    file.append([Spooled(b"smartpay/shop/invoice/i1", named, body) for body in bodies])
    return file


@pytest.mark.usefixtures("_without_kafka")
def test_what_waits_for_kafka_is_told_while_it_is_away(config: Path, tmp_path: Path) -> None:
    """The spool is looked into just then; that Kafka could not be is said after it."""
    spool(tmp_path / "spool", b"one").close(delete_if_empty=False)
    done = run(config, "invoice/i1")
    assert done.exit_code == 1
    subject, line = done.stdout.splitlines()
    assert subject == "smartpay/shop/invoice/i1"
    told = "2026-01-01T00:00:00Z  invoice/created: in the spool of this host, not in Kafka yet"
    assert line.startswith(f"  {told} (left.spool), sha256 ")
    assert done.stderr.startswith("error: Kafka cannot be reached: nobody listens at 127.0.0.1:9")
    printed = json.loads(run(config, "invoice/i1", "--json").stdout)
    [spooled] = printed["spooled"]["smartpay/shop/invoice/i1"]
    assert spooled["file"] == "left.spool"


@pytest.mark.usefixtures("_without_kafka")
def test_of_a_body_only_its_very_bytes_are_told_while_kafka_is_away(
    config: Path, body: Path, tmp_path: Path
) -> None:
    """Another webhook about the same resource is not the one that was asked for."""
    body.write_text('{"invoice_id": "i1"}')
    with spool(tmp_path / "spool", b"another", body.read_bytes()):
        pass
    found = run(config, "--body", str(body), "--account", "shop")
    assert found.stdout.count("(left.spool)") == 1
    body.write_text('{"invoice_id": "i1", "n": 2}')
    missing = run(config, "--body", str(body), "--account", "shop")
    assert missing.stdout.startswith("nothing with sha256 ")
    assert found.exit_code == missing.exit_code == 1
    assert missing.stderr.startswith("error: Kafka cannot be reached")


@pytest.mark.usefixtures("_without_kafka")
def test_a_spool_that_is_in_use_is_noted_while_kafka_is_away(config: Path, tmp_path: Path) -> None:
    """The service that runs has what it spooled to itself: nobody is told that there is nothing."""
    with spool(tmp_path / "spool", b"one"):
        done = run(config, "invoice/i1")
    assert done.stdout == "nothing of it is in what could be read of this host's spool\n"
    note, error = done.stderr.splitlines()
    assert note.endswith("uses spool file left.spool: not looked into")
    assert error.startswith("error: Kafka cannot be reached")
