"""Accounts in files of their own."""

from pathlib import Path

import pytest

from config.accounts import load_account_file, read_accounts_dir
from config.loading import load
from config.problems import ConfigError
from tests.unit.config.samples import MODELS, SignedAccount, load_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for accounts."""
    path = tmp_path / "accounts"
    path.mkdir()
    return path


def _write(folder: Path, name: str, key: str = "", more: str = "") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(f"provider = 'signed'\napi_key = '{key or name}'\n{more}", "utf-8")
    return path


def test_an_account_file(folder: Path) -> None:
    """A file holds the account's table, and its stem is the name."""
    account = load_account_file(_write(folder, "shop", "k1"), MODELS)
    assert isinstance(account, SignedAccount)
    assert (account.name, account.api_key.get_secret_value()) == ("shop", "k1")


def test_mistakes_of_an_account_file(folder: Path) -> None:
    """All mistakes of a file are told, with the account's place and the file."""
    path = _write(folder, "shop", more="verson = 1\ncalls = 0\nname = 'x'\n")
    with pytest.raises(ConfigError) as refusal:
        load_account_file(path, MODELS)
    assert {problem.where for problem in refusal.value.problems} == {
        "accounts.shop.verson",
        "accounts.shop.calls",
        "accounts.shop.name",
    }
    assert {problem.source for problem in refusal.value.problems} == {str(path)}


@pytest.mark.parametrize(
    ("name", "text", "where", "what"),
    [
        ("shop", "provider = ", "accounts.shop", "is not TOML"),
        ("Shop", "provider = 'signed'\napi_key = 'k'", "accounts.Shop", "cannot be an account's"),
        ("shop", "provider = 'sined'", "accounts.shop.provider", "no known provider"),
        ("shop", "api_key = 'k'", "accounts.shop.provider", "is missing"),
    ],
)
def test_unusable_account_files(folder: Path, name: str, text: str, where: str, what: str) -> None:
    """A file that is no account says why."""
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refusal:
        load_account_file(path, MODELS)
    assert refusal.value.problems[0].where == where
    assert what in refusal.value.problems[0].what


def test_the_folder_beside_the_file(tmp_path: Path, folder: Path) -> None:
    """Accounts of the folder join those of the main file, and can be told from them."""
    _write(folder, "b")
    text = f"accounts_dir = '{folder}'\n[accounts.a]\nprovider = 'signed'\napi_key = 'ka'\n"
    settings = load_text(tmp_path, text)
    assert list(settings.accounts) == ["a", "b"]
    assert settings.directory_accounts == {"b"}


def test_the_folder_by_a_variable(folder: Path) -> None:
    """The folder can be named by a variable."""
    _write(folder, "b")
    assert list(load(None, {"PAYEVENTS_ACCOUNTS_DIR": str(folder)}, MODELS).accounts) == ["b"]


def test_only_toml_files_that_are_not_hidden(folder: Path) -> None:
    """Editors' and Kubernetes' own files in the folder are no accounts."""
    _write(folder, "a")
    for name in (".a.toml", "a.toml~", "..data", "README"):
        (folder / name).write_text("x", "utf-8")
    found = read_accounts_dir(folder, MODELS, {})
    assert (list(found.accounts), found.refused) == (["a"], {})


def test_one_bad_file_does_not_hold_up_the_others(tmp_path: Path, folder: Path) -> None:
    """The folder's reader keeps what is good; loading refuses, unless it is told not to."""
    _write(folder, "good")
    _write(folder, "bad", more="verson = 1")
    found = read_accounts_dir(folder, MODELS, {})
    assert (list(found.accounts), list(found.refused)) == (["good"], ["bad"])
    text = f"accounts_dir = '{folder}'\n"
    with pytest.raises(ConfigError, match=r"accounts\.bad\.verson"):
        load_text(tmp_path, text)
    assert list(load_text(tmp_path, text, strict_accounts_dir=False).accounts) == ["good"]


def test_a_name_of_the_main_file(folder: Path) -> None:
    """A file cannot take the name of an account of the main file, whatever it holds."""
    inline = {"a": load_account_file(_write(folder, "a"), MODELS)}
    (folder / "a.toml").write_text("nonsense", "utf-8")
    found = read_accounts_dir(folder, MODELS, inline)
    assert not found.accounts
    assert found.refused["a"][0].what == "is also an account of the main file"


def test_signing_keys_are_not_shared(folder: Path) -> None:
    """A file with another account's signing key is refused, be it inline or in a file."""
    inline = {"z": load_account_file(_write(folder, "z", "k1"), MODELS)}
    (folder / "z.toml").unlink()
    _write(folder, "a", "k1")
    _write(folder, "b", "k2")
    _write(folder, "c", "k2")
    found = read_accounts_dir(folder, MODELS, inline)
    assert list(found.accounts) == ["b"]
    assert "account z" in found.refused["a"][0].what
    assert "account b" in found.refused["c"][0].what


def test_a_folder_that_cannot_be_read(tmp_path: Path, folder: Path) -> None:
    """A missing folder is an error, never a folder without accounts, also without strictness."""
    missing = folder / "none"
    with pytest.raises(ConfigError, match="accounts_dir"):
        read_accounts_dir(missing, MODELS, {})
    with pytest.raises(ConfigError, match="accounts_dir"):
        load_text(tmp_path, f"accounts_dir = '{missing}'\n", strict_accounts_dir=False)
