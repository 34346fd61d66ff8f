"""Loading: what is read, and how everything wrong is told at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.loading import load
from config.problems import ConfigError
from tests.unit.config.samples import MODELS, SignedAccount, load_text, problems_of

SHOP = """
[accounts.shop]
provider = "signed"
api_key = "k1"
"""


def test_a_whole_file(tmp_path: Path) -> None:
    """Groups, accounts and routes are read, and what is not written has its default."""
    settings = load_text(
        tmp_path,
        """
        routes = [{account = "shop", topic = "shop.events"}]
        [http]
        public_url = "https://pay.example"
        max_body = "1MiB"
        [kafka]
        bootstrap_servers = "a:9092,b:9092"
        [ledger]
        retention = "365d"
        [accounts.shop]
        provider = "signed"
        api_key = "k1"
        former_keys = ["k0", {key = "k-1", until = 2026-12-31}]
        poll_interval = "5s"
        """,
    )
    assert settings.http.public_url == "https://pay.example"
    assert settings.http.max_body == 2**20
    assert settings.http.port == 8080
    assert settings.ledger.retention == timedelta(days=365)
    assert settings.topics.events[0] == "shop.events"
    shop = settings.accounts["shop"]
    assert isinstance(shop, SignedAccount)
    assert (shop.name, shop.provider) == ("shop", "signed")
    assert [former.key.get_secret_value() for former in shop.former_keys] == ["k0", "k-1"]
    assert shop.former_keys[1].until is not None
    assert settings.directory_accounts == frozenset()


def test_without_a_file() -> None:
    """Defaults alone are settings."""
    assert load(None, {}, MODELS).kafka.partitions == 12


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """One run names the mistakes of all groups, accounts and routes."""
    problems = problems_of(
        tmp_path,
        """
        acounts_dir = "x"
        [http]
        port = "eighty"
        [kafka]
        partitions = 0
        [accounts.shop]
        provider = "signed"
        api_kye = "k1"
        [accounts.b]
        provider = "sined"
        [[routes]]
        topic = "payevents.inbox"
        """,
        {"PAYEVENTS_SPOOL__MAX_BITES": "1"},
    )
    assert set(problems) == {
        "acounts_dir",
        "http.port",
        "kafka.partitions",
        "accounts.shop.api_kye",
        "accounts.shop.api_key",
        "accounts.b.provider",
        "spool.max_bites",
        "routes.0.topic",
    }


def test_an_error_is_all_problems_in_words(tmp_path: Path) -> None:
    """The error's text has a line for each problem: place, source, what and remedy."""
    with pytest.raises(ConfigError) as refusal:
        load_text(tmp_path, "[http]\nprot = 1\n[kafka]\npartitions = 0\n")
    lines = str(refusal.value).splitlines()
    assert lines[0] == (
        f'http.prot ({tmp_path / "payevents.toml"}): is not a known key; did you mean "port"?'
    )
    assert len(lines) == len(refusal.value.problems) == 2


@pytest.mark.parametrize(
    ("text", "where", "fix"),
    [
        ("acounts_dir = 'x'", "acounts_dir", 'did you mean "accounts_dir"?'),
        ("[kafak]\npartitions = 1", "kafak", 'did you mean "kafka"?'),
        ("[admin]\ntokn_file = 'x'", "admin.tokn_file", 'did you mean "token_file"?'),
        (SHOP + "poll_intervall = '1s'", "accounts.shop.poll_intervall", '"poll_interval"'),
        (SHOP + "former_keys = [{kye = 'x'}]", "accounts.shop.former_keys.0.kye", '"key"'),
        ("[spool]\nzzz = 1", "spool.zzz", "the keys known here are directory, max_bytes"),
        ("[[routes]]\ntopic = 'x'\nknd = 'y'", "routes.0.knd", 'did you mean "kind"?'),
    ],
)
def test_unknown_keys_name_the_nearest(tmp_path: Path, text: str, where: str, fix: str) -> None:
    """A key nobody knows comes with the one that was probably meant."""
    problem = problems_of(tmp_path, text)[where]
    assert problem.what == "is not a known key"
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("kafka = 3", "kafka", "should be a table"),
        ("[http]\nport = 'x'", "http.port", 'should be a whole number, not "x"'),
        ("[http]\nport = 70000", "http.port", "less than or equal to 65535, not 70000"),
        ("[http]\nbody_timeout = 5", "http.body_timeout", "'5' is not a duration"),
        ("[http]\nallow_http = 'perhaps'", "http.allow_http", "should be true or false"),
        ("[http]\nmax_body = 'lots'", "http.max_body", 'should be a size such as "256KiB"'),
        ("[http]\nhost = 1", "http.host", "should be text, not 1"),
        ("[http]\npublic_url = 'pay'", "http.public_url", "is not a URL"),
        ("routes = 'x'", "routes", "should be a list"),
        ("accounts = 1", "accounts", "should be tables"),
        ("[accounts]\nshop = 1", "accounts.shop", "should be a table"),
        ("[accounts.Shop]\nprovider = 'signed'", "accounts.Shop", "cannot be an account's name"),
        ("[accounts.shop]\napi_key = 'k'", "accounts.shop.provider", "is missing"),
        ("[accounts.shop]\nprovider = []", "accounts.shop.provider", "[] is no known provider"),
        ("[[routes]]\nkind = 'order'", "routes.0.topic", "is missing"),
        ("[[routes]]\ntopic = 'a b'", "routes.0.topic", "should match"),
        ("directory_accounts = ['a']", "directory_accounts", "is not set here"),
        (SHOP + "name = 'other'", "accounts.shop.name", "is not set here"),
        ("[observability]\nlog_level = 'warn'", "observability.log_level", "should be 'debug'"),
    ],
)
def test_wrong_values(tmp_path: Path, text: str, where: str, what: str) -> None:
    """A wrong value is named with its place and what it should be."""
    assert what in problems_of(tmp_path, text)[where].what


def test_near_misses_of_words(tmp_path: Path) -> None:
    """A misspelt word of a fixed list comes with the nearest."""
    problem = problems_of(tmp_path, "[observability]\nlog_level = 'warn'")
    assert problem["observability.log_level"].fix == 'did you mean "warning"?'


def test_unknown_provider_names_the_known(tmp_path: Path) -> None:
    """An unknown provider comes with the nearest one, or with all there are."""
    near = problems_of(tmp_path, "[accounts.a]\nprovider = 'sined'")["accounts.a.provider"]
    assert near.fix == 'did you mean "signed"?'
    far = problems_of(tmp_path, "[accounts.a]\nprovider = 'x'")["accounts.a.provider"]
    assert far.fix == "known are polled, signed"


def test_an_aftermath_is_no_problem(tmp_path: Path) -> None:
    """A key whose default follows from a wrong one is not blamed too."""
    assert set(problems_of(tmp_path, "[kafka]\nreplication_factor = 0")) == {
        "kafka.replication_factor"
    }


def test_a_table_where_text_would_do(tmp_path: Path) -> None:
    """Of a list of text or tables, a wrong table is told by what is wrong in it alone."""
    problems = problems_of(tmp_path, SHOP + "labels = [{kye = 'x'}, 7]")
    assert set(problems) == {
        "accounts.shop.labels.0.kye",
        "accounts.shop.labels.0.key",
        "accounts.shop.labels.1",
    }


def test_routes_never_by_action(tmp_path: Path) -> None:
    """A route on the action is refused with the reason."""
    problem = problems_of(tmp_path, "[[routes]]\naction = 'paid'\ntopic = 'x'")
    assert "must stay in one topic" in problem["routes.0.action"].what


def test_routes_into_own_topics(tmp_path: Path) -> None:
    """Events cannot be sent into the service's own topics."""
    problem = problems_of(tmp_path, "[[routes]]\ntopic = 'payevents.ledger'")["routes.0.topic"]
    assert "service's own topics" in problem.what


def test_routes_to_long_names(tmp_path: Path) -> None:
    """A topic that is too long only with its prefix is refused."""
    text = f"[kafka]\ntopic_prefix = '{'p' * 100}'\n[[routes]]\ntopic = '{'t' * 150}'"
    assert "longer than 249" in problems_of(tmp_path, text)["routes.0.topic"].what


def test_routes_for_what_is_not_there(tmp_path: Path) -> None:
    """A route for an unknown provider or account is refused, unless accounts come from a folder."""
    routes = "routes = [{provider = 'sign', topic = 'x'}, {account = 'shp', topic = 'x'}]\n"
    problems = problems_of(tmp_path, routes + SHOP)
    assert problems["routes.0.provider"].fix == 'did you mean "signed"?'
    assert problems["routes.1.account"].fix == 'did you mean "shop"?'
    (tmp_path / "sub").mkdir()
    folder = f"accounts_dir = '{tmp_path / 'sub'}'\n"
    assert set(problems_of(tmp_path, folder + routes + SHOP)) == {"routes.0.provider"}


def test_accounts_that_share_a_signing_key(tmp_path: Path) -> None:
    """Two accounts with one key are refused, also where it is a former key of one."""
    text = SHOP + "[accounts.other]\nprovider = 'signed'\napi_key = 'k2'\nformer_keys = ['k1']\n"
    problem = problems_of(tmp_path, text)["accounts.other"]
    assert "signing key of account shop" in problem.what
    settings = load_text(tmp_path, text.replace("['k1']", "['k3', 'k2']"))
    assert list(settings.accounts) == ["shop", "other"]


def test_syntax_errors_have_a_line(tmp_path: Path) -> None:
    """TOML that cannot be read is told with line and column."""
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 2, column") as refusal:
        load_text(tmp_path, "[http]\nport 8080\n")
    assert refusal.value.problems[0].source.endswith("payevents.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are not UTF-8 are told as such."""
    for path, reason in [(tmp_path / "none.toml", "No such file"), (tmp_path, "cannot be read")]:
        with pytest.raises(ConfigError, match=reason):
            load(path, {}, MODELS)
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8 at byte 5"):
        load(tmp_path / "latin.toml", {}, MODELS)
