"""The reference of all settings, written from the models."""

import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

import pydantic
from pydantic import AfterValidator, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.account import AccountSettings
from config.draft import variable
from config.group import Group
from config.settings import Settings
from config.shape import Place, is_list, keys, members, models_in
from config.types import AtLeast, format_duration, format_size

_HEAD = """\
# Configuration

<!-- Written by `python -m receiver.reference docs/configuration.md`; a test compares the two. -->

One TOML file, named by `--config` or `PAYEVENTS_CONFIG`. `payevents check-config` tells every
mistake at once.

- **Environment.** Every key can be overridden by the variable given with it, accounts of the main
  file too: `PAYEVENTS_ACCOUNTS__SHOP__BASE_URL`, with `_` for a `-` in the name. Lists and tables
  are JSON there. A file of `accounts_dir` is not reached by variables.
- **Secrets.** Where a key is marked *secret*, `<key>_file` can name a file that holds it instead;
  one newline at its end is left out. For a list it names one file, or a list of them, each with
  one secret. An example's placeholder, dots or a word in angle brackets, is refused.
- **Durations** are a number and a unit: `500ms`, `30s`, `15m`, `12h`, `30d`. **Sizes** are a
  number of bytes, or with a unit: `256KiB`, `1GiB`.
- **Paths** that are not absolute start at the working directory.
- An account's name is part of every event's id: **to rename an account is to publish everything
  anew.**
"""

_WORDS: Mapping[type, str] = {
    timedelta: "duration",
    date: "date",
    pydantic.ByteSize: "size",
    bool: "true or false",  # before int, which it is too
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret",
}


_ACCOUNTS = """\
One table for each account; its key is the account's name, of `a-z`, `0-9`, `_` and `-`. These keys
are common to all providers, each of which adds its own."""


def render(account_models: Mapping[str, type[AccountSettings]]) -> str:
    """Return the reference in Markdown, with a section for each provider's own account keys."""
    groups = {name: field for name, field in keys(Settings).items() if _group(field)}
    single = {
        name: field for name, field in keys(Settings).items() if name not in {*groups, "accounts"}
    }
    parts = [_HEAD, _section("Top level", "Keys before the first table.", single, ())]
    for name, field in groups.items():
        model = _group(field) or Settings
        parts.append(_section(f"`[{name}]`", _about(model), keys(model), (name,)))
    parts.append(
        _section("`[accounts.<name>]`", _ACCOUNTS, keys(AccountSettings), ("accounts", "<name>"))
    )
    for provider, account in account_models.items():
        title = f'`[accounts.<name>]` with `provider = "{provider}"`'
        own = {name: field for name, field in keys(account).items() if _is_own(name, field)}
        parts.append(_section(title, _about(account), own, ("accounts", "<name>")))
    return "\n".join(parts)


def _group(field: FieldInfo) -> type[Group] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Group) else None


def _is_own(name: str, field: FieldInfo) -> bool:
    """Tell whether a provider's key is new, or differs from what all accounts have."""
    if name == "provider":  # its name, which is the section's title
        return False
    common = AccountSettings.model_fields.get(name)
    return common is None or (common.default, common.description) != (
        field.default,
        field.description,
    )


def _about(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _section(title: str, about: str, fields: Mapping[str, FieldInfo], place: Place) -> str:
    lines = [f"## {title}", "", about, ""]
    for name, field in fields.items():
        lines.extend(_entry(name, field, place))
    return "\n".join([*lines, ""])


def _entry(name: str, field: FieldInfo, place: Place) -> Iterator[str]:
    facts = [f"**`{name}`**", _kind(field), _default(field)]
    facts.append(f"`{variable((*place, name))}`")
    yield "- " + " · ".join(facts) + "  "
    yield f"  {field.description}"
    for model in models_in(field.annotation):
        for key, inner in keys(model).items():
            yield f"    - **`{key}`** · {_kind(inner)} · {_default(inner)}  "
            yield f"      {inner.description}"


def _kind(field: FieldInfo) -> str:
    """Return what kind of value the field has, and how little it may be."""
    # Of a union the validators are those of its members; of anything else they are the field's.
    parts = [*field.metadata, *(part for each in get_args(field.annotation) for part in _of(each))]
    checks = (part.func for part in parts if isinstance(part, AfterValidator))
    least = [check.told for check in checks if isinstance(check, AtLeast)]
    return ", ".join([_type(field.annotation), *least])


def _of(annotation: object) -> tuple[object, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()


def _type(annotation: object) -> str:
    told: list[str] = []
    for member in members(annotation):
        if get_origin(member) is Literal:
            told.extend(f"`{word}`" for word in get_args(member))
        elif is_list(member):
            inner = dict.fromkeys(_type(a) for a in get_args(member) if a is not Ellipsis)
            told.append(f"list of {' or '.join(inner)}")
        elif isinstance(member, type) and member is not NoneType:
            told.append(next((w for t, w in _WORDS.items() if issubclass(member, t)), "table"))
    return ", ".join(told)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "default as told below"
    value: object = field.default
    if value is None or value == ():
        return "unset" if value is None else "default `[]`"
    return f"default `{_written(value)}`"


def _written(value: object) -> str:
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, pydantic.ByteSize):
        return f'"{format_size(value)}"'
    return json.dumps(value, default=str)
