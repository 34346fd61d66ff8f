"""`payevents reconcile` and `watches import`: what they refuse before they ask Kafka."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from config.account import AccountSettings
from handlers.provider import RECONCILIATION, Watch
from receiver.cli.app import app
from receiver.cli.reconcile import announcement
from receiver.watches.reconciliation import Reconciliation
from tests.support.configuration import service_config
from tests.unit.receiver.cli.reading import plain

OTHERS = """
[accounts.members]
provider = "subscriply"
base_url = "http://127.0.0.1:9/api/v1"
email = "a@example.com"
password = "a password"
currency = "USD"
[accounts.cherries]
provider = "voucherry"
base_url = "http://127.0.0.1:9/api/v1"
auth_token = "a token"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration with an account of each provider, whose Kafka nobody asks."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", tmp_path, accounts=OTHERS))
    return file


def run(config: Path, *arguments: str, stdin: str = "") -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], input=stdin)


@pytest.mark.parametrize(
    ("account", "why"),
    [
        ("members", "subscriply is polled as a whole"),
        ("cherries", "voucherry has no listing: what was missed must be registered"),
    ],
)
def test_an_account_that_cannot_be_reconciled_is_told(config: Path, account: str, why: str) -> None:
    """Where there is nothing to reconcile with, the command says what holds instead."""
    done = run(config, "reconcile", "--account", account, "--since", "30d")
    assert done.exit_code == 1
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_account_that_is_not_there_is_told(config: Path) -> None:
    """It is a slip in the command, and those that there are are named."""
    done = run(config, "reconcile", "--account", "nobody", "--since", "30d")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: there is no account 'nobody'; known are ")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--since", "yesterday"], "'yesterday' is no date, time or duration"),
        (["--since", "1d", "--until", "soon"], "'soon' is no date, time or duration"),
        (["--since", "1000000d"], "'1000000d' is too far away"),
        (["--since", "9999-01-01"], "there is nothing to read"),
        (["--since", "1970-01-01"], "there is nothing to read"),
        (["--until", "2026-01-01", "--since", "2026-01-02"], "there is nothing to read"),
        (["--since", "1d", "--patience", "30"], "'30' is not a duration"),
    ],
)
def test_a_time_that_cannot_be_is_told(config: Path, options: list[str], why: str) -> None:
    """A slip is wrong usage, told with the option, before it costs a call."""
    done = run(config, "reconcile", "--account", "shop", *options)
    assert done.exit_code == 2
    assert f"Invalid value for {options[-2]}: " in plain(done.stderr)
    assert why in plain(done.stderr)


def test_another_file_is_not_imported(config: Path, tmp_path: Path) -> None:
    """A file that is no export, or is not there, is refused in one line."""
    for file, stdin in ((tmp_path / "missing", ""), (config, ""), (Path("-"), "{}\n")):
        done = run(config, "watches", "import", str(file), stdin=stdin)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"error: {file}: ")
        assert done.stderr.count(str(file)) == done.stderr.count("\n") == 1


@pytest.mark.parametrize(("windows", "time"), [(2, ""), (60, ""), (61, "; it takes 1h at least")])
def test_what_it_costs_is_said_beforehand(windows: int, time: str) -> None:
    """One call a window at least, and no more of them in an hour than the account may make."""
    account = AccountSettings(
        name="shop",
        provider="smartpay",
        base_url="https://example.com",
        calls=60,
        calls_per=timedelta(hours=1),
    )
    watches = [Watch("shop", RECONCILIATION, f"once/{number}") for number in range(windows)]
    assert announcement(Reconciliation("shop", watches), account) == (
        f"asked for {windows} windows: a call each, and one for every 100 rows of long ones;"
        f" 60 calls in 1h are allowed{time}"
    )
