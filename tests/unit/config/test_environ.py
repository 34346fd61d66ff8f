"""The environment over the file: groups, accounts, lists, and names nobody knows."""

from pathlib import Path

import pytest

from config.loading import load
from config.problems import ConfigError
from tests.unit.config.samples import MODELS, PolledAccount, SignedAccount, load_text, problems_of

SHOP = """
[accounts.shop]
provider = "signed"
api_key = "k1"
"""


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    """What a variable says counts, and the rest of the table stays."""
    text = "[kafka]\npartitions = 3\nclient_id = 'x'\n"
    settings = load_text(tmp_path, text, {"PAYEVENTS_KAFKA__PARTITIONS": "7"})
    assert (settings.kafka.partitions, settings.kafka.client_id) == (7, "x")


def test_values_of_every_type() -> None:
    """Numbers, truth values, durations, sizes and secrets are read from text."""
    settings = load(
        None,
        {
            "PAYEVENTS_HTTP__PORT": "9",
            "PAYEVENTS_HTTP__ALLOW_HTTP": "true",
            "PAYEVENTS_HTTP__BODY_TIMEOUT": "3s",
            "PAYEVENTS_HTTP__MAX_BODY": "1KiB",
            "PAYEVENTS_ADMIN__TOKEN": "[t",
        },
        MODELS,
    )
    assert settings.http.port == 9
    assert settings.http.allow_http
    assert settings.http.body_timeout.total_seconds() == 3
    assert settings.http.max_body == 1024
    assert settings.admin.token is not None
    assert settings.admin.token.get_secret_value() == "[t"


def test_accounts_are_reached(tmp_path: Path) -> None:
    """A variable reaches an account of the file, whatever the case and with _ for -."""
    text = SHOP + "[accounts.my-club]\nprovider = 'polled'\nbase_url = 'https://x.example'\n"
    settings = load_text(
        tmp_path,
        text,
        {
            "PAYEVENTS_ACCOUNTS__SHOP__BASE_URL": "https://other.example",
            "PAYEVENTS_ACCOUNTS__MY_CLUB__POLL_INTERVAL": "9s",
        },
    )
    assert settings.accounts["shop"].base_url == "https://other.example"
    assert settings.accounts["my-club"].poll_interval.total_seconds() == 9


def test_an_account_with_two_underscores(tmp_path: Path) -> None:
    """A name that holds the separator is still found, before a shorter one."""
    text = SHOP + "[accounts.shop__eu]\nprovider = 'signed'\napi_key = 'k2'\n"
    variables = {"PAYEVENTS_ACCOUNTS__SHOP__EU__VERSION": "2"}
    account = load_text(tmp_path, text, variables).accounts["shop__eu"]
    assert isinstance(account, SignedAccount)
    assert account.version == 2


def test_an_ambiguous_account(tmp_path: Path) -> None:
    """A variable that could mean two accounts is refused, not guessed."""
    text = "".join(
        f"[accounts.{name}]\nprovider = 'polled'\nbase_url = 'https://x.example'\n"
        for name in ("a-b", "a_b")
    )
    problem = problems_of(tmp_path, text, {"PAYEVENTS_ACCOUNTS__A_B__CALLS": "1"})["accounts"]
    assert problem.source == "PAYEVENTS_ACCOUNTS__A_B__CALLS"
    assert "a-b, a_b" in problem.what


def test_an_account_of_variables_alone() -> None:
    """With a provider, variables alone make an account."""
    settings = load(
        None,
        {
            "PAYEVENTS_ACCOUNTS__SHOP__PROVIDER": "signed",
            "PAYEVENTS_ACCOUNTS__SHOP__API_KEY": "k1",
        },
        MODELS,
    )
    assert isinstance(settings.accounts["shop"], SignedAccount)


def test_a_misspelt_account(tmp_path: Path) -> None:
    """A variable for an account that is not there names the nearest one."""
    problems = problems_of(tmp_path, SHOP, {"PAYEVENTS_ACCOUNTS__SHPO__VERSION": "1"})
    assert problems["accounts.shpo"].source == "PAYEVENTS_ACCOUNTS__SHPO__VERSION"
    assert problems["accounts.shpo"].fix == 'did you mean "shop"?'


def test_lists_are_json(tmp_path: Path) -> None:
    """Lists and tables are JSON in the environment."""
    settings = load_text(
        tmp_path,
        SHOP + "[accounts.club]\nprovider = 'polled'\nbase_url = 'https://x.example'\n",
        {
            "PAYEVENTS_ACCOUNTS__SHOP__FORMER_KEYS": '["k2", {"key": "k3", "until": "2026-12-31"}]',
            "PAYEVENTS_ACCOUNTS__CLUB__TAGS": '["a", "b"]',
            "PAYEVENTS_ROUTES": '[{"kind": "order", "topic": "orders"}]',
        },
    )
    shop, club = settings.accounts["shop"], settings.accounts["club"]
    assert isinstance(shop, SignedAccount)
    assert isinstance(club, PolledAccount)
    assert [former.key.get_secret_value() for former in shop.former_keys] == ["k2", "k3"]
    assert club.tags == ("a", "b")
    assert settings.topics.events[0] == "orders"


def test_broken_json_is_told_without_the_value(tmp_path: Path) -> None:
    """JSON that cannot be read is told once, with its position and without its text."""
    variables = {"PAYEVENTS_ACCOUNTS__SHOP__FORMER_KEYS": '["hush", '}
    problems = problems_of(tmp_path, SHOP, variables)
    assert list(problems) == ["accounts.shop.former_keys"]
    problem = problems["accounts.shop.former_keys"]
    assert "not JSON at character 10" in problem.what
    assert "hush" not in str(problem)


@pytest.mark.parametrize(
    ("name", "where", "meant"),
    [
        ("PAYEVENTS_KAFKA__PARTITONS", "kafka.partitons", "PAYEVENTS_KAFKA__PARTITIONS"),
        ("PAYEVENTS_KAFAK__PARTITIONS", "kafak", "PAYEVENTS_KAFKA__PARTITIONS"),
        (
            "PAYEVENTS_ACCOUNTS__SHOP__VERSON",
            "accounts.shop.verson",
            "PAYEVENTS_ACCOUNTS__SHOP__VERSION",
        ),
    ],
)
def test_unknown_variables_name_the_nearest(
    tmp_path: Path, name: str, where: str, meant: str
) -> None:
    """A variable that sets nothing known is a problem, told with the one that was meant."""
    problem = problems_of(tmp_path, SHOP, {name: "1"})[where]
    assert problem.source == name
    assert problem.fix == f'did you mean "{meant}"?'


def test_a_wrong_value_is_blamed_on_its_variable(tmp_path: Path) -> None:
    """The problem names the variable, though the file sets the same key rightly."""
    text = "[kafka]\npartitions = 3\n"
    problems = problems_of(tmp_path, text, {"PAYEVENTS_KAFKA__PARTITIONS": "many"})
    assert problems["kafka.partitions"].source == "PAYEVENTS_KAFKA__PARTITIONS"


def test_a_variable_below_what_is_no_table(tmp_path: Path) -> None:
    """A variable cannot set a key of what the file does not make a table."""
    problem = problems_of(tmp_path, "kafka = 3\n", {"PAYEVENTS_KAFKA__PARTITIONS": "3"})["kafka"]
    assert "PAYEVENTS_KAFKA__PARTITIONS cannot set a key" in problem.what


def test_foreign_variables_are_left_alone() -> None:
    """What Kubernetes gives a pod beside a service named payevents is no setting."""
    variables = {
        "PAYEVENTS_PORT": "tcp://10.0.0.1:80",
        "PAYEVENTS_SERVICE_HOST": "10.0.0.1",
        "PAYEVENTS_CONFIG": "x.toml",
        "PAYEVENTS_HTTP": "x",
        "OTHER__KEY": "x",
    }
    assert load(None, variables, MODELS) == load(None, {}, MODELS)


def test_problems_without_a_file() -> None:
    """Without a file, problems name the variables."""
    with pytest.raises(ConfigError) as refusal:
        load(None, {"PAYEVENTS_HTTP__PORT": "x"}, MODELS)
    assert [problem.source for problem in refusal.value.problems] == ["PAYEVENTS_HTTP__PORT"]
