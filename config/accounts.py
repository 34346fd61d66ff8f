"""Reading accounts: the tables of the main file, and the files of `accounts_dir`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.account import AccountSettings
from config.draft import Draft
from config.problems import ConfigError, Problem, one_of
from config.shape import Place
from config.translate import complain_of
from config.types import ACCOUNT_NAME
from config.written import prepare

AccountModels = Mapping[str, type[AccountSettings]]
"""The settings model of each provider, by the provider's name."""


@dataclass(frozen=True, slots=True)
class DirectoryAccounts:
    """What `accounts_dir` held, by account: its settings, or why they cannot be used."""

    accounts: Mapping[str, AccountSettings]
    refused: Mapping[str, Sequence[Problem]]


def load_account_file(path: Path, account_models: AccountModels) -> AccountSettings:
    """Read one account from a file that holds its table; the file's stem is its name.

    Raises:
        ConfigError: it cannot be read or used; tells every problem found.

    """
    draft = Draft.read(path, base=("accounts", path.stem))
    account = read_account(draft, account_models, draft.tables, (), path.stem)
    if account is None:
        raise ConfigError(draft.problems)
    return account


def read_accounts_dir(
    directory: Path, account_models: AccountModels, inline: Mapping[str, AccountSettings]
) -> DirectoryAccounts:
    """Read every `<name>.toml` of a folder; one that cannot be used does not hold up the others.

    A file may neither repeat the name of an `inline` account, one of the main file, nor share a
    signing key with it or with a file whose name comes before its own.

    Raises:
        ConfigError: the folder cannot be read, which says nothing about the accounts in it.

    """
    accounts: dict[str, AccountSettings] = {}
    refused: dict[str, Sequence[Problem]] = {}
    for path in _account_files(directory):
        name = path.stem
        try:
            accounts[name] = load_account_file(path, account_models)
        except ConfigError as error:
            refused[name] = error.problems
        if name in inline:
            accounts.pop(name, None)
            what = "is also an account of the main file"
            refused[name] = [_problem(name, path, what, "rename this file, or remove one of them")]
    for name, other in shared_keys([*inline.values(), *accounts.values()]):
        if name in accounts:
            del accounts[name]
            path = directory / f"{name}.toml"
            refused[name] = [_problem(name, path, *told_of_shared_key(other))]
    return DirectoryAccounts(accounts, refused)


def _account_files(directory: Path) -> list[Path]:
    try:
        # Hidden files are those of editors, and of the way Kubernetes mounts a volume.
        return sorted(
            path
            for path in directory.iterdir()
            if path.suffix == ".toml" and not path.name.startswith(".")
        )
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        fix = "check the path and the permissions"
        raise ConfigError([Problem("accounts_dir", str(directory), what, fix)]) from error


def read_account(
    draft: Draft, account_models: AccountModels, table: object, place: Place, name: str
) -> AccountSettings | None:
    """Return the account whose table is at `place`; None, with problems noted, if unusable."""
    before = len(draft.problems)
    if not isinstance(table, dict):
        draft.complain(place, "should be a table", f"write [accounts.{name}]")
        return None
    if not re.fullmatch(ACCOUNT_NAME, name):
        what = f"{name!r} cannot be an account's name"
        draft.complain(place, what, "use a-z, 0-9, _ and -, with a letter or digit first")
    model = _model(draft, account_models, table, place)
    if model is None:
        return None
    ready = prepare(draft, model, table, place)
    try:
        account = model.model_validate({**ready, "name": name})
    except ValidationError as error:
        complain_of(error, draft, model, ready, place)
        return None
    return account if len(draft.problems) == before else None


def shared_keys(accounts: Iterable[AccountSettings]) -> Iterator[tuple[str, str]]:
    """Yield each account that shares a signing key with an earlier one, and that one's name."""
    owners: dict[str, str] = {}
    for account in accounts:
        earlier = {
            owner
            for key in account.signing_key_fingerprints()
            if (owner := owners.setdefault(key, account.name)) != account.name
        }
        if earlier:
            yield account.name, min(earlier)


def told_of_shared_key(other: str) -> tuple[str, str]:
    """Return what is wrong with sharing a signing key with account `other`, and the remedy."""
    what = f"has a signing key of account {other}: a body signed for one would count at the other"
    return what, "give each account a key of its own, or make them one account"


def _model(
    draft: Draft, account_models: AccountModels, table: dict[str, Any], place: Place
) -> type[AccountSettings] | None:
    provider = table.get("provider")
    at = (*place, "provider")
    if isinstance(provider, str) and provider in account_models:
        return account_models[provider]
    if provider is None and place in draft.variables:
        what = "is no account of the file, and variables alone make one only with a provider"
        draft.complain(place, what, _meant(draft, str(place[-1])))
    elif provider is None:
        draft.complain(at, "is missing", f"set it to one of {', '.join(sorted(account_models))}")
    else:
        fix = one_of(str(provider), account_models)
        draft.complain(at, f"{provider!r} is no known provider", fix)
    return None


def _meant(draft: Draft, name: str) -> str:
    in_file = [n for n in draft.tables["accounts"] if ("accounts", n) not in draft.variables]
    return one_of(name, in_file)


def _problem(name: str, path: Path, what: str, fix: str) -> Problem:
    return Problem(f"accounts.{name}", str(path), what, fix)
