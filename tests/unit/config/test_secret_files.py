"""Secrets: given in files, never empty, never shown."""

from pathlib import Path

import pytest

from config.problems import ConfigError
from tests.unit.config.samples import PolledAccount, SignedAccount, load_text, problems_of

SHOP = "[accounts.shop]\nprovider = 'signed'\n"
CLUB = "[accounts.club]\nprovider = 'polled'\nbase_url = 'https://x.example'\n"


def _secret(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("content", "secret"),
    [("k1", "k1"), ("k1\n", "k1"), ("k1\r\n", "k1"), ("k1\n\n", "k1\n"), (" k1 ", " k1 ")],
)
def test_a_secret_from_a_file(tmp_path: Path, content: str, secret: str) -> None:
    """A secret is its file's text without one newline at the end; nothing else is taken off."""
    text = SHOP + f"api_key_file = '{_secret(tmp_path, 'key', content)}'"
    shop = load_text(tmp_path, text).accounts["shop"]
    assert isinstance(shop, SignedAccount)
    assert shop.api_key.get_secret_value() == secret


def test_secrets_of_groups(tmp_path: Path) -> None:
    """Groups have secrets in files too, also by a variable."""
    variables = {"PAYEVENTS_ADMIN__TOKEN_FILE": _secret(tmp_path, "token", "t\n")}
    token = load_text(tmp_path, "", variables).admin.token
    assert token is not None
    assert token.get_secret_value() == "t"


def test_lists_of_secrets(tmp_path: Path) -> None:
    """A list of secrets is given as one file or as several, each with one secret."""
    one, two = _secret(tmp_path, "one", "c1\n"), _secret(tmp_path, "two", "c2\n")
    for written, codes in [(f"'{one}'", ["c1"]), (f"['{one}', '{two}']", ["c1", "c2"])]:
        club = load_text(tmp_path, CLUB + f"codes_file = {written}").accounts["club"]
        assert isinstance(club, PolledAccount)
        assert [code.get_secret_value() for code in club.codes] == codes


def test_secrets_in_tables_of_a_list(tmp_path: Path) -> None:
    """A table in a list has its own secret in a file, beside others written as text."""
    old = _secret(tmp_path, "old", "k0\n")
    text = SHOP + f"api_key = 'k'\nformer_keys = ['k1', {{key_file = '{old}', until = 2026-01-31}}]"
    shop = load_text(tmp_path, text).accounts["shop"]
    assert isinstance(shop, SignedAccount)
    assert [former.key.get_secret_value() for former in shop.former_keys] == ["k1", "k0"]


def test_lists_of_files_by_a_variable(tmp_path: Path) -> None:
    """A variable names the files of a list as JSON, or one file as it stands."""
    one, two = _secret(tmp_path, "one", "c1"), _secret(tmp_path, "two", "c2")
    for value, count in [(one, 1), (f'["{one}", "{two}"]', 2)]:
        variables = {"PAYEVENTS_ACCOUNTS__CLUB__CODES_FILE": value}
        club = load_text(tmp_path, CLUB, variables).accounts["club"]
        assert isinstance(club, PolledAccount)
        assert len(club.codes) == count


def test_both_forms_are_refused(tmp_path: Path) -> None:
    """A secret given twice in the same place is refused: which one counts would be a guess."""
    text = SHOP + f"api_key = 'k'\napi_key_file = '{_secret(tmp_path, 'key', 'x')}'"
    problem = problems_of(tmp_path, text)["accounts.shop.api_key_file"]
    assert problem.what == "is given beside api_key"


@pytest.mark.parametrize(("written", "variable"), [("api_key", "_FILE"), ("api_key_file", "")])
def test_a_variable_overrides_the_other_form(tmp_path: Path, written: str, variable: str) -> None:
    """A variable in one form overrides what the file says in the other."""
    values = {"": "new", "_FILE": _secret(tmp_path, "new", "new")}
    name = f"PAYEVENTS_ACCOUNTS__SHOP__API_KEY{variable}"
    shop = load_text(tmp_path, SHOP + f"{written} = 'old'", {name: values[variable]})
    account = shop.accounts["shop"]
    assert isinstance(account, SignedAccount)
    assert account.api_key.get_secret_value() == "new"


@pytest.mark.parametrize("path", ["/nowhere/hush", "7"])
def test_unreadable_files(tmp_path: Path, path: str) -> None:
    """A file that cannot be read is one problem, told without its path: it may be the secret."""
    problems = problems_of(tmp_path, SHOP + f"api_key_file = '{path}'")
    assert list(problems) == ["accounts.shop.api_key_file"]
    assert path not in problems["accounts.shop.api_key_file"].what


def test_files_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and a path that is no text, are told as such."""
    (tmp_path / "key").write_bytes(b"\xff")
    problems = problems_of(tmp_path, SHOP + f"api_key_file = '{tmp_path / 'key'}'")
    assert "not text in UTF-8" in problems["accounts.shop.api_key_file"].what
    problems = problems_of(tmp_path, SHOP + "api_key_file = 7")
    assert "should be the path" in problems["accounts.shop.api_key_file"].what


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (SHOP + "api_key = ''", "accounts.shop.api_key"),
        (SHOP + "api_key = 'k'\nformer_keys = ['']", "accounts.shop.former_keys"),
        (SHOP + "api_key = 'k'\nformer_keys = [{key = ''}]", "accounts.shop.former_keys.0.key"),
        (CLUB + "codes = ['c', '']", "accounts.club.codes"),
        ("[admin]\ntoken = ''", "admin.token"),
    ],
)
def test_empty_secrets_are_refused(tmp_path: Path, text: str, where: str) -> None:
    """An empty secret is refused wherever it stands: an empty key signs everything."""
    assert problems_of(tmp_path, text)[where].what == "is an empty secret"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A file with nothing but a newline holds no secret."""
    text = SHOP + f"api_key_file = '{_secret(tmp_path, 'key', chr(10))}'"
    assert problems_of(tmp_path, text)["accounts.shop.api_key"].what == "is an empty secret"


@pytest.mark.parametrize(
    "text",
    [
        SHOP + "api_kye = 'hush'",
        SHOP + "api_key = ['hush']",
        SHOP + "api_key = {value = 'hush'}",
        SHOP + "api_key = 'k'\nformer_keys = 'hush'",
        SHOP + "api_key = 'k'\nformer_keys = [{key = 7, until = 'never', x = 'hush'}]",
        SHOP + "api_key = 'k'\nformer_keys = [{kye = 'hush'}]",
        CLUB + "codes = [{a = 'hush'}]",
        CLUB + "token_file = 'hush'",
        "[accounts]\nshop = 'hush'",
        "[admin]\ntoken = 1.5\ntokn = 'hush'",
        "admin = 'hush'",
        "secret = 'hush'",
    ],
)
def test_no_problem_repeats_what_may_be_secret(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with it, the value of a secret or of an unknown key is not told."""
    with pytest.raises(ConfigError) as refusal:
        load_text(tmp_path, text)
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize("written", ["…", "...", "....", " … ", "<key>", "<your api-key>", "<>"])
def test_a_placeholder_is_no_secret(tmp_path: Path, written: str) -> None:
    """Who copies an example, in a file or a table of a list too, signs with what all know."""
    file = _secret(tmp_path, "key", f"{written}\n")
    for where, text in [
        ("accounts.shop.api_key", f"api_key = '{written}'"),
        ("accounts.shop.api_key", f"api_key_file = '{file}'"),
        (
            "accounts.shop.former_keys.0.key",
            f"api_key = 'k'\nformer_keys = [{{key = '{written}'}}]",
        ),
    ]:
        [(place, problem)] = problems_of(tmp_path, SHOP + text).items()
        assert (place, problem.what) == (where, "is the placeholder of an example")


@pytest.mark.parametrize("written", ["a...", "<a>b", "a<b>", "<a", "-", "<p4$$>"])
def test_what_only_looks_like_a_placeholder_is_a_secret(tmp_path: Path, written: str) -> None:
    """A password may hold dots and brackets."""
    shop = load_text(tmp_path, f"{SHOP}api_key = '{written}'").accounts["shop"]
    assert isinstance(shop, SignedAccount)
    assert shop.api_key.get_secret_value() == written


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Neither text nor JSON made of settings shows a secret."""
    settings = load_text(tmp_path, SHOP + "api_key = 'hush'\n[admin]\ntoken = 'hush'")
    assert "hush" not in repr(settings)
    assert "hush" not in settings.model_dump_json()
