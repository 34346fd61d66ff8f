"""Turning what was written into values a model can check: JSON in variables, secrets in files."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.draft import Draft
from config.shape import (
    Place,
    is_list,
    is_set_by_loader,
    is_structured,
    keys,
    models_in,
    takes_file,
)

_PLACEHOLDER = re.compile(r"[.…]+|<[\w\s.…-]*>")
"""What documents write in place of a secret: dots, or words in angle brackets."""

_UNREAD = "unread"
"""Stands for a secret whose file was complained about, so that it is not also called missing."""


def prepare(
    draft: Draft, model: type[BaseModel], table: dict[str, Any], place: Place
) -> dict[str, Any]:
    """Return the table at `place` ready for the model's validation; problems go to the draft."""
    ready = dict(table)
    _refuse_loaders_own(draft, model, ready, place)
    for name, field in keys(model).items():
        at = (*place, name)
        if takes_file(field.annotation) and f"{name}_file" in ready:
            _take_from_file(draft, ready, name, place, listed=is_list(field.annotation))
        if name not in ready:
            continue
        if is_structured(field.annotation):
            ready[name] = _decode(draft, ready[name], at)
        ready[name] = _descend(draft, field.annotation, ready[name], at)
        if takes_file(field.annotation):
            _refuse_no_secret(draft, ready[name], at)
    return ready


def _refuse_loaders_own(
    draft: Draft, model: type[BaseModel], ready: dict[str, Any], place: Place
) -> None:
    for name, field in model.model_fields.items():
        if is_set_by_loader(field) and ready.pop(name, None) is not None:
            draft.complain((*place, name), "is not set here", f"it is: {field.description}")


def _descend(draft: Draft, annotation: object, value: object, at: Place) -> object:
    """Prepare the tables inside a value, too."""
    models = models_in(annotation)
    if not models:
        return value
    if isinstance(value, dict):
        return prepare(draft, models[0], value, at)
    if isinstance(value, list):
        return [_descend(draft, annotation, item, (*at, i)) for i, item in enumerate(value)]
    return value


def _decode(draft: Draft, value: object, at: Place) -> object:
    """Read a list or a table that a variable gives as JSON."""
    if not isinstance(value, str) or not draft.is_from_environment(at):
        return value
    if not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        # The value may hold secrets, so only the position is told.
        position = getattr(error, "pos", 0)
        draft.complain(at, f"is not JSON at character {position + 1}", 'write it like ["a", "b"]')
        return value


def _take_from_file(
    draft: Draft, ready: dict[str, Any], name: str, place: Place, *, listed: bool
) -> None:
    key = f"{name}_file"
    at = (*place, key)
    files = ready.pop(key)
    if name in ready:
        overridden = (*place, name) in draft.variables
        if overridden == (at in draft.variables):
            draft.complain(at, f"is given beside {name}", "leave one of the two out")
        # A variable in the one form overrides what the file says in the other.
        if overridden or at not in draft.variables:
            return
    if listed:
        files = _decode(draft, files, at)
        paths = files if isinstance(files, list) else [files]
        ready[name] = [_read(draft, path, at) for path in paths]
    else:
        ready[name] = _read(draft, files, at)


def _read(draft: Draft, path: object, at: Place) -> str:
    """Return a file's text without one newline at its end."""
    if not isinstance(path, str):
        draft.complain(at, "should be the path of a file", "put it in quotes")
        return _UNREAD
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        # The path is not repeated: by mistake it may be the secret itself.
        what = f"names a file that cannot be read: {reason}"
        draft.complain(at, what, "check the path and the permissions")
        return _UNREAD
    return text.removesuffix("\n").removesuffix("\r")


def _refuse_no_secret(draft: Draft, value: object, at: Place) -> None:
    # An empty key would make every signature forgeable, and comes easily from an unset variable;
    # one that stands in a document is known to all, and comes from a copied example.
    for item in value if isinstance(value, list) else [value]:
        if item == "":
            draft.complain(at, "is an empty secret", "give it a value, or leave it out")
        elif isinstance(item, str) and _PLACEHOLDER.fullmatch(item.strip()):
            draft.complain(at, "is the placeholder of an example", "write the secret in its place")
