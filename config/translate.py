"""From pydantic's validation errors to problems that say what to do."""

import json

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.draft import Draft, variable
from config.problems import MISTAKES, Mistake, nearest
from config.shape import Place, field_at, holds_secret, known_keys, takes_file

_AFTERMATH = "default_factory_not_called"
"""The type of an error that only follows from another one."""

_PLAIN_WORDS = {
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "mapping_type": "should be a table",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "string_type": "should be text",
    "byte_size": 'should be a size such as "256KiB" or "1GiB"',
    "byte_size_unit": 'should be a size such as "256KiB" or "1GiB"',
}


def complain_of(
    error: ValidationError, draft: Draft, model: type[BaseModel], ready: object, place: Place
) -> None:
    """Note every error of validating `ready` as a problem of the draft, at `place` and below."""
    told = [(detail, _visible(detail, ready)) for detail in error.errors(include_url=False)]
    for detail, below in told:
        at = place + below
        # A table where text would do as well: only what is wrong inside the table is of use.
        if detail["type"] == "string_type" and any(
            other[: len(below)] == below and len(other) > len(below) for _, other in told
        ):
            continue
        kind = detail["type"]
        if kind == MISTAKES:
            for mistake in detail["ctx"]["mistakes"]:
                _complain_of_mistake(draft, at, mistake)
        elif kind == "extra_forbidden":
            owner, _ = field_at(model, below)
            draft.complain(at, "is not a known key", _did_you_mean(draft, at, owner))
        elif kind == "missing":
            draft.complain(at, "is missing", _how_to_set(model, below))
        elif kind != _AFTERMATH:
            draft.complain(at, _wrong(detail, model, below), _remedy(detail))


def _complain_of_mistake(draft: Draft, at: Place, mistake: Mistake) -> None:
    key = tuple(mistake.key.split(".")) if mistake.key else ()
    draft.complain(at + key, mistake.what, mistake.fix)


def _visible(detail: ErrorDetails, value: object) -> Place:
    """Return the error's place as the writer knows it, without pydantic's names for unions."""
    place: list[str | int] = []
    for part in detail["loc"]:
        below = _step(value, part)
        if below is not None:
            place.append(part)
            value = below
    if detail["type"] == "missing":
        place.append(detail["loc"][-1])
    return tuple(place)


def _step(value: object, part: str | int) -> object:
    """Return what is at `part` of a table or a list, or None."""
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _did_you_mean(draft: Draft, at: Place, owner: type[BaseModel]) -> str:
    known = known_keys(owner)
    near = nearest(str(at[-1]), known)
    if near is None:
        return f"the keys known here are {', '.join(known)}"
    if draft.is_from_environment(at):
        source = draft.source(at)
        named = max((p for p, name in draft.variables.items() if name == source), key=len)
        near = variable((*at[:-1], near, *named[len(at) :]))
    return f'did you mean "{near}"?'


def _how_to_set(model: type[BaseModel], below: Place) -> str:
    _, field = field_at(model, below)
    key = str(below[-1])
    if field is None:
        return f"set {key}"
    or_file = f" or {key}_file" if takes_file(field.annotation) else ""
    return f"set {key}{or_file}: {field.description}" if field.description else f"set {key}"


def _wrong(detail: ErrorDetails, model: type[BaseModel], below: Place) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    message = detail["msg"].removeprefix("Input ")
    told = _PLAIN_WORDS.get(detail["type"], message[:1].lower() + message[1:])
    given = detail["input"]
    # Only a value that cannot be a secret is repeated: problems are logged.
    if not isinstance(given, str | int | float) or _may_be_secret(model, below):
        return told
    return f"{told}, not {json.dumps(given, ensure_ascii=False)}"


def _may_be_secret(model: type[BaseModel], below: Place) -> bool:
    _, field = field_at(model, below)
    return field is None or holds_secret(field.annotation)


def _remedy(detail: ErrorDetails) -> str:
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        return "put it in quotes"
    if detail["type"] == "literal_error":
        words = str(detail["ctx"]["expected"]).split("'")[1::2]
        near = nearest(str(detail["input"]), words)
        return f'did you mean "{near}"?' if near else ""
    return ""
