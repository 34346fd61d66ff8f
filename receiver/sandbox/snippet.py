"""An account's settings as they are written in the configuration, secrets and all."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import SecretStr

from config.account import AccountSettings
from config.listeners import HttpSettings
from config.types import format_duration

_PORT = HttpSettings().port
"""Where the receivers listen unless they are told otherwise."""


def as_toml(account: AccountSettings) -> str:
    """Return the account's table, with what was set and without the defaults.

    Its secrets are written out: this is for the made-up ones of a sandbox alone.

    Raises:
        TypeError: a setting is of a kind that cannot be written.
    """
    return "\n".join([f"[accounts.{account.name}]", *_lines(account)]) + "\n"


def offered(account: AccountSettings) -> str:
    """Return, as comments for its table, what has the account's webhooks registered by us.

    That is found from what the settings then need; empty where there is no such key.
    """
    if account.needs_public_url():
        return ""
    switches = (
        name
        for name, field in type(account).model_fields.items()
        if field.annotation is bool and account.model_copy(update={name: True}).needs_public_url()
    )
    return "".join(
        f"# {name} = true          # with the following under [http]:\n"
        f'# public_url = "http://127.0.0.1:{_PORT}"\n'
        for name in switches
    )


def _lines(account: AccountSettings) -> Iterator[str]:
    yield f"provider = {_value(account.provider)}"
    for name in type(account).model_fields:
        if name in account.model_fields_set - {"name", "provider"}:
            value = getattr(account, name)
            if value is not None:
                yield f"{name} = {_value(value)}"


def _value(value: object) -> str:
    match value:
        case SecretStr():
            return _value(value.get_secret_value())
        case timedelta():
            return _value(format_duration(value))
        case date():
            return value.isoformat()
        case bool() | int() | str():
            # What JSON writes for these, TOML reads as the same (TOML 1.0.0, basic strings).
            return json.dumps(value, ensure_ascii=False)
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written")
