"""The judge of compatibility itself: each kind of break is seen, and nothing else is."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from handlers.schema import event_json_schema

from .compat import breaks

Document = dict[str, Any]


def data(schema: Document) -> Document:
    """Return the schema of the event's data."""
    found: Document = schema["$defs"]["PaymentData"]
    return found


def remove_field(schema: Document) -> None:
    """Drop a field, as a model without it would."""
    del data(schema)["properties"]["sequence"]
    data(schema)["required"].remove("sequence")


def rename_definition(schema: Document) -> None:
    """Name a part otherwise: no reader sees it."""
    schema["$defs"]["Renamed"] = schema["$defs"].pop("Evidence")
    data(schema)["properties"]["evidence"]["$ref"] = "#/$defs/Renamed"


def test_a_schema_is_compatible_with_itself() -> None:
    """Nothing breaks where nothing changes."""
    assert breaks(event_json_schema(), event_json_schema()) == []


BREAKS: list[tuple[str, Callable[[Document], object]]] = [
    ("event.data.sequence: the field is gone", remove_field),
    (
        "event.data.late: the field was required",
        lambda s: data(s)["required"].remove("late"),
    ),
    (
        "event.data.sequence: the type was integer and is string",
        lambda s: data(s)["properties"]["sequence"].update(type="string"),
    ),
    (
        "event.data.observed_at: the type was string and is null",
        lambda s: data(s)["properties"].update(
            observed_at={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
        ),
    ),
    (
        "event.data.amount: the type was",
        lambda s: data(s)["properties"]["amount"].update(anyOf=[{"type": "string"}]),
    ),
    (
        "event.data.amount.value: pattern was",
        lambda s: s["$defs"]["AmountData"]["properties"]["value"].pop("pattern"),
    ),
    (
        "event.data.amount.minor_units: minimum was 0",
        lambda s: s["$defs"]["AmountData"]["properties"]["minor_units"].update(minimum=-5),
    ),
    (
        "event.data.origin: the set of values is another (gone: 'poll'; new: none)",
        lambda s: data(s)["properties"]["origin"]["enum"].remove("poll"),
    ),
    (
        "event.data.origin: the set of values is another (gone: none; new: 'rumour')",
        lambda s: data(s)["properties"]["origin"]["enum"].append("rumour"),
    ),
    (
        "event.data.action: the set of values is another (any value)",
        lambda s: data(s)["properties"]["action"].pop("enum"),
    ),
    (
        "event.data.account: values were free",
        lambda s: data(s)["properties"]["account"].update(enum=["shop"]),
    ),
    (
        "event.data.related.*: the type was string and is integer",
        lambda s: data(s)["properties"]["related"]["additionalProperties"].update(type="integer"),
    ),
    (
        "event.data.related: other fields",
        lambda s: data(s)["properties"]["related"].pop("additionalProperties"),
    ),
    ("event.data: a condition is gone", lambda s: data(s)["allOf"].pop()),
    (
        "event.data.resource.id: the type was string and is any",
        lambda s: s["$defs"]["ResourceData"]["properties"]["id"].pop("type"),
    ),
    (
        "event.dataschema: the set of values is another",
        lambda s: s["properties"]["dataschema"].update(const="urn:payevents:payment-event:2"),
    ),
    ("$id is another", lambda s: s.update({"$id": "urn:payevents:payment-event:2"})),
]


@pytest.mark.parametrize(("told", "change"), BREAKS, ids=[told for told, _ in BREAKS])
def test_a_change_that_breaks_readers_is_told(
    told: str, change: Callable[[Document], object]
) -> None:
    """Each break gives one line, which says where and what."""
    new = event_json_schema()
    change(new)
    (line,) = breaks(event_json_schema(), new)
    assert line.startswith(told)


HARMLESS: dict[str, Callable[[Document], object]] = {
    "a new optional field": lambda s: data(s)["properties"].update(note={"type": "string"}),
    "a new required field": lambda s: (
        data(s)["properties"].update(note={"type": "string"}),
        data(s)["required"].append("note"),
    ),
    "other words": lambda s: data(s)["properties"]["late"].update(description="Late."),
    "a new promise": lambda s: data(s)["properties"]["account"].update(minLength=1),
    "never null any more": lambda s: data(s)["properties"]["amount"]["anyOf"].pop(),
    "an optional field now required": lambda s: s["required"].append("note"),
    "other names inside": rename_definition,
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_change_that_readers_can_bear_is_none(change: Callable[[Document], object]) -> None:
    """Version 1 may grow, and may promise more."""
    new = event_json_schema()
    change(new)
    assert new != event_json_schema()
    assert breaks(event_json_schema(), deepcopy(new)) == []
