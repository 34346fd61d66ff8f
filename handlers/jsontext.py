"""Providers' JSON, read strictly and exactly: decimals stay decimals, and nothing is guessed."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

_DEEPEST = 100
"""Arrays and objects within each other: far below where Python or pydantic would give up."""

_TOO_DEEP = "the JSON is nested too deeply"


class Unreadable(ValueError):
    """The bytes are not what a provider may send; ``str()`` of it says why."""


def parse(raw: bytes) -> Json:
    """Return the JSON value in ``raw``.

    Raises:
        Unreadable: not JSON in UTF-8, nested deeper than 100, or a number beyond all measure.
            Whatever RFC 8259 leaves open is settled here: the last of two equal keys counts,
            NaN, Infinity, a byte order mark and lone surrogates are refused.

    """
    try:
        value: Json = _decoder.decode(raw)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    except (ValueError, ArithmeticError) as error:
        msg = f"not JSON in UTF-8: {error}"
        raise Unreadable(msg) from None
    # Most bodies are one flat object, which is seen sooner than brackets are counted.
    is_flat = raw.rfind(b"{") <= 0 and b"[" not in raw
    if not is_flat and raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_too_deep(value):
        raise Unreadable(_TOO_DEEP)
    return value


def parse_object(raw: bytes) -> JsonObject:
    """Return the JSON object in ``raw``.

    Raises:
        Unreadable: as :func:`parse`, or the value is not an object.

    """
    value = parse(raw)
    if not isinstance(value, dict):
        msg = f"a JSON object is expected, not {_name(value)}"
        raise Unreadable(msg)
    return value


def compact(value: Json) -> bytes:
    """Return ``value`` as compact JSON, with decimals as the exact numbers they were."""
    return _encoder.encode(value)


def _is_too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return False
    return True


def _containers(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    if isinstance(value, list):
        return [inner for inner in value if isinstance(inner, dict | list)]
    return []


def _name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return "a number"
        case str():
            return "a string"
        case _:
            return "an array"
