"""What in a new schema breaks a reader of an old one.

A reader was written for the old schema: it may rely on each field that was required, on each type,
on each closed set of values. So every event that the new schema admits must be one that the old
schema admitted, in what the old schema speaks of. A new field is no break: readers ignore what they
do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_BOUNDS = ("pattern", "format", "minimum", "maximum", "minLength", "maxLength", "items")
"""Promises about a value that may be added, but neither changed nor taken back."""

_IDENTITY = ("$id", "$schema")


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return a line for each change from ``old`` to ``new`` that breaks readers of ``old``."""
    renamed = [f"{name} is another" for name in _IDENTITY if old.get(name) != new.get(name)]
    return renamed + list(_Comparison(old, new).compare(old, new, "event"))


class _Comparison:
    """Compares two documents; references lead to the definitions of each."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new

    def compare(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Yield what breaks readers of ``old`` at one place."""
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(_alternatives(old), _alternatives(new), at)
            return
        if not _types(new) <= _types(old):
            yield f"{at}: the type was {_words(_types(old))} and is {_words(_types(new))}"
            return
        yield from _values(old, new, at)
        yield from _bounds(old, new, at)
        yield from self._fields(old, new, at)

    def _alternatives(self, old: list[Schema], new: list[Schema], at: str) -> Iterator[str]:
        for one in new:
            objections = [list(self.compare(other, one, at)) for other in old]
            if all(objections):
                # The nearest alternative says most clearly what is wrong.
                yield from min(objections, key=lambda lines: (_is_about_type(lines), len(lines)))

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        new_fields = new.get("properties", {})
        for name, field in old.get("properties", {}).items():
            if name in new_fields:
                yield from self.compare(field, new_fields[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: the field is gone"
        for name in set(old.get("required", [])) - set(new.get("required", [])):
            if name in new_fields:
                yield f"{at}.{name}: the field was required and is optional"
        others, other = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(others, dict) and isinstance(other, dict):
            yield from self.compare(others, other, f"{at}.*")
        elif others is not True and other != others:
            yield f"{at}: other fields than the known ones may now hold anything"


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    # Fewer values break as well: the old ones were promised, and a reader may wait for one.
    was, now = _closed(old), _closed(new)
    if was is not None and was != now:
        gone, added = _words(was - (now or set())), _words((now or set()) - was)
        told = "any value" if now is None else f"gone: {gone or 'none'}; new: {added or 'none'}"
        yield f"{at}: the set of values is another ({told})"
    if was is None and now is not None:
        yield f"{at}: values were free and are now a closed set"


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for bound in _BOUNDS:
        if bound in old and old[bound] != new.get(bound):
            yield f"{at}: {bound} was {old[bound]} and is {new.get(bound, 'not stated')}"
    for condition in old.get("allOf", []):
        if condition not in new.get("allOf", []):
            yield f"{at}: a condition is gone or another: {condition}"


def _resolved(document: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = document["$defs"][reference.removeprefix("#/$defs/")]
    return found


def _alternatives(schema: Schema) -> list[Schema]:
    return list(schema["anyOf"]) if "anyOf" in schema else [schema]


def _types(schema: Schema) -> set[str]:
    stated = schema.get("type")
    if stated is None:
        return {"any"}
    return set(stated) if isinstance(stated, list) else {stated}


def _closed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _is_about_type(lines: list[str]) -> bool:
    return any(": the type was" in line for line in lines)


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names))
