"""Questions about a settings model: what a key may hold, found from its annotation alone.

This is what lets secrets be given as files, and lists as JSON in the environment, for any
provider's settings without a word from the provider.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

Place = tuple[str | int, ...]
"""The way to a value: keys of tables and indices of lists."""


def is_set_by_loader(field: FieldInfo) -> bool:
    """Tell whether the loader alone gives this field its value, so that it is no key."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("set_by_loader"))


def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys that may be written in the model's table."""
    return {name: f for name, f in model.model_fields.items() if not is_set_by_loader(f)}


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys that may be written, also those that name a secret's file."""
    known = []
    for name, field in keys(model).items():
        known.append(name)
        if takes_file(field.annotation):
            known.append(f"{name}_file")
    return known


def holds_secret(annotation: object) -> bool:
    """Tell whether a value of this type may hold a secret, however deep."""
    return any(
        issubclass(leaf, SecretStr | SecretBytes)
        or (issubclass(leaf, BaseModel) and _any_secret(leaf))
        for leaf in _leaves(annotation)
    )


def takes_file(annotation: object) -> bool:
    """Tell whether the key can also be given as `<key>_file`: a secret, or a list that holds one.

    A table is not given as a file; its own secrets are.
    """
    if is_list(annotation):
        return holds_secret(annotation)
    return any(issubclass(leaf, SecretStr | SecretBytes) for leaf in _leaves(annotation))


def is_list(annotation: object) -> bool:
    """Tell whether values of this type are lists."""
    return any(
        isinstance(origin := get_origin(member) or member, type)
        and issubclass(origin, Sequence | set | frozenset)
        and not issubclass(origin, str | bytes)
        for member in members(annotation)
    )


def is_structured(annotation: object) -> bool:
    """Tell whether values of this type are lists or tables, so JSON in the environment."""
    return is_list(annotation) or any(
        isinstance(origin := get_origin(member) or member, type)
        and issubclass(origin, Mapping | BaseModel)
        for member in members(annotation)
    )


def models_in(annotation: object) -> list[type[BaseModel]]:
    """Return the models that values of this type may be, or may be lists or tables of."""
    return [leaf for leaf in _leaves(annotation) if issubclass(leaf, BaseModel)]


def members(annotation: object) -> Iterator[object]:
    """Yield the types that values of this type may have, one for each part of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from members(member)
    else:
        yield annotation


def field_at(model: type[BaseModel], place: Place) -> tuple[type[BaseModel], FieldInfo | None]:
    """Follow a place from a model: return the last model met on it, and the field named last.

    Parts that name no field (indices, names of accounts) are passed over; the field is None when
    the last name is not a field of the last model.
    """
    candidates = [model]
    owner, field = model, None
    for part in place:
        found = next((m for m in candidates if str(part) in m.model_fields), None)
        if found is not None:
            owner, field = found, found.model_fields[str(part)]
            candidates = models_in(field.annotation)
        elif isinstance(part, str) and candidates:
            owner, field = candidates[0], None
    return owner, field


def _leaves(annotation: object) -> Iterator[type]:
    for member in members(annotation):
        origin = get_origin(member)
        if origin is None:
            if isinstance(member, type):
                yield member
        elif origin is not Literal:
            for argument in get_args(member):
                yield from _leaves(argument)


def _any_secret(model: type[BaseModel]) -> bool:
    return any(holds_secret(field.annotation) for field in model.model_fields.values())
