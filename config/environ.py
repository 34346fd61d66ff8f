"""The environment, laid over what the file says.

`PAYEVENTS_<GROUP>__<KEY>` sets a key. pydantic-settings reads variables too, but into one model
known beforehand; here a wrong name must be told with the nearest right one, an account's model
depends on its provider, and every value keeps the name of the variable that it came from.
"""

from collections.abc import Mapping

from config.draft import PREFIX, Draft
from config.problems import Problem

_SEPARATOR = "__"


def overlay(draft: Draft, environ: Mapping[str, str], top_level: frozenset[str]) -> None:
    """Lay every `PAYEVENTS_` variable that sets a key over the draft, as text.

    A name without `__` counts only if it is one of the `top_level` keys: Kubernetes gives every
    pod variables such as PAYEVENTS_PORT for a service called payevents, and they are not ours.
    """
    for name in sorted(environ):
        if not name.startswith(PREFIX):
            continue
        key = name.removeprefix(PREFIX).lower()
        if _SEPARATOR in key:
            place = _place(draft, name, key)
            if place is not None:
                _set(draft, place, environ[name], name)
        elif key in top_level:
            _set(draft, (key,), environ[name], name)


def _place(draft: Draft, name: str, key: str) -> tuple[str, ...] | None:
    """Return the place that a variable names; None, with a problem, where that is not certain."""
    group, _, rest = key.partition(_SEPARATOR)
    if group != "accounts":
        return (group, *rest.split(_SEPARATOR))
    matching = [known for known in _accounts(draft) if rest.startswith(_spelt(known) + _SEPARATOR)]
    # An account's own name may hold "__": the longest that fits is meant.
    longest = max((len(known) for known in matching), default=0)
    meant = [known for known in matching if len(known) == longest]
    if len(meant) > 1:
        what = f"could mean any of the accounts {', '.join(meant)}"
        draft.problems.append(Problem("accounts", name, what, "set the key in the file instead"))
        return None
    if meant:
        return ("accounts", meant[0], *rest[longest + len(_SEPARATOR) :].split(_SEPARATOR))
    return ("accounts", *rest.split(_SEPARATOR))


def _accounts(draft: Draft) -> list[str]:
    accounts = draft.tables.get("accounts")
    return list(accounts) if isinstance(accounts, dict) else []


def _spelt(account: str) -> str:
    return account.lower().replace("-", "_")


def _set(draft: Draft, place: tuple[str, ...], value: str, name: str) -> None:
    table = draft.tables
    for depth, part in enumerate(place[:-1], start=1):
        if part not in table:
            table[part] = {}
            draft.variables[place[:depth]] = name
        table = table[part]
        if not isinstance(table, dict):
            draft.complain(
                place[:depth], f"is not a table, so {name} cannot set a key of it", "make it one"
            )
            return
    table[place[-1]] = value
    draft.variables[place] = name
