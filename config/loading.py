"""Reading the configuration: one TOML file, the environment over it, and the accounts' folder."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.account import AccountSettings
from config.accounts import (
    AccountModels,
    read_account,
    read_accounts_dir,
    shared_keys,
    told_of_shared_key,
)
from config.draft import Draft
from config.environ import overlay
from config.problems import ConfigError, one_of
from config.settings import Settings
from config.shape import keys, models_in
from config.translate import complain_of
from config.written import prepare

_TOP_LEVEL = frozenset(
    name
    for name, field in keys(Settings).items()
    if name == "routes" or not models_in(field.annotation)
)
"""The keys outside groups, which a variable without `__` may set."""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    account_models: AccountModels,
    *,
    strict_accounts_dir: bool = True,
) -> Settings:
    """Read the settings from a file, if there is one, and from the environment over it.

    `account_models` has the settings model of each provider. Relative paths start at the working
    directory. Without `strict_accounts_dir`, files of `accounts_dir` that cannot be used are left
    out in silence, so that one of thousands does not keep a service from starting; whoever watches
    the folder tells of them.

    Raises:
        ConfigError: the settings cannot be used; tells every problem found at once.

    """
    draft = Draft({}, "no file") if path is None else Draft.read(path)
    overlay(draft, environ, _TOP_LEVEL)
    tables = dict(draft.tables)
    account_tables = tables.pop("accounts", {})
    ready = prepare(draft, Settings, tables, ())
    settings = _groups(draft, ready)
    _check_routes(draft, ready, account_models, account_tables)
    inline = _inline_accounts(draft, account_models, account_tables)
    _check_public_url(draft, settings, inline)
    directory, problems = {}, list(draft.problems)
    if isinstance(written := ready.get("accounts_dir"), str):
        try:
            found = read_accounts_dir(Path(written), account_models, inline)
        except ConfigError as error:
            problems += error.problems
        else:
            directory = dict(found.accounts)
            problems += chain(*found.refused.values()) if strict_accounts_dir else ()
    if settings is None or problems:
        raise ConfigError(problems)
    return settings.model_copy(
        update={
            "accounts": {**inline, **directory},
            "directory_accounts": frozenset(directory),
        }
    )


def _groups(draft: Draft, ready: dict[str, Any]) -> Settings | None:
    try:
        return Settings.model_validate(ready)
    except ValidationError as error:
        complain_of(error, draft, Settings, ready, ())
        return None


def _inline_accounts(
    draft: Draft, account_models: AccountModels, tables: object
) -> dict[str, AccountSettings]:
    if not isinstance(tables, dict):
        draft.complain(("accounts",), "should be tables", "write each as [accounts.<name>]")
        return {}
    accounts = {}
    for name, table in tables.items():
        account = read_account(draft, account_models, table, ("accounts", name), name)
        if account is not None:
            accounts[name] = account
    for name, other in shared_keys(accounts.values()):
        draft.complain(("accounts", name), *told_of_shared_key(other))
    return accounts


def _check_public_url(
    draft: Draft, settings: Settings | None, accounts: Mapping[str, AccountSettings]
) -> None:
    """Object to webhooks that are to be registered and would lead nowhere.

    Accounts of `accounts_dir` may come later, and must not keep a service from starting.
    """
    managed = [name for name, account in accounts.items() if account.needs_public_url()]
    if managed and settings is not None and settings.http.public_url is None:
        draft.complain(
            ("http", "public_url"),
            f"is missing, and manage_webhooks of {', '.join(managed)} needs it",
            "set it to the URL at which the provider reaches this service",
        )


def _check_routes(
    draft: Draft, ready: dict[str, Any], account_models: AccountModels, accounts: object
) -> None:
    """Object to routes for providers and accounts that are not there."""
    known = {"provider": list(account_models)}
    # An account of accounts_dir may come later, so its absence is no mistake.
    if "accounts_dir" not in ready and isinstance(accounts, dict):
        known["account"] = list(accounts)
    routes = ready.get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        for key, names in known.items():
            name = route.get(key) if isinstance(route, dict) else None
            if isinstance(name, str) and name not in names:
                what = f"there is no {key} {name!r}"
                draft.complain(("routes", index, key), what, one_of(name, names))
