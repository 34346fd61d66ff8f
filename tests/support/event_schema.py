"""Judging events by the published schema, as a consumer would."""

import json
from collections.abc import Sequence
from functools import lru_cache

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types

from handlers.schema import event_json_schema

_VALIDATOR = Draft202012Validator(
    event_json_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER
)


@lru_cache(maxsize=10_000)
def objections(event: bytes) -> Sequence[str]:
    """Return what the schema says against an event; nothing if it is valid."""
    return tuple(error.message for error in _VALIDATOR.iter_errors(json.loads(event)))


def check_schema(schema: object) -> None:
    """Check that ``schema`` is JSON Schema 2020-12; raises jsonschema's error if it is not."""
    Draft202012Validator.check_schema(schema)


def is_valid(schema: object, value: object) -> bool:
    """Tell whether ``value`` is valid by ``schema``, formats included."""
    checker = Draft202012Validator.FORMAT_CHECKER
    return bool(Draft202012Validator(schema, format_checker=checker).is_valid(value))
