"""The published schema: current, true of real events, and never broken within version 1."""

import json
from copy import deepcopy
from typing import Any

import pytest

from config.topics import DEFAULT_ROUTES
from handlers.event import CONTENT_TYPE
from handlers.fact import RANKS
from handlers.schema import ASYNCAPI_FILE, EVENT_FILE, asyncapi_document, event_json_schema
from tests.support.event_schema import check_schema, is_valid, objections

from .compat import breaks
from .pin import BASELINE, SCHEMAS, main, read
from .samples import events


def sample() -> dict[str, Any]:
    """Return one good event, as a consumer parses it."""
    parsed: dict[str, Any] = json.loads(next(events()).value)
    return parsed


def test_the_schema_is_a_schema() -> None:
    """The document is JSON Schema 2020-12 under its own name."""
    schema = event_json_schema()
    check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:payevents:payment-event:1"


def test_real_events_are_valid() -> None:
    """Every kind, action and origin, live and test, with and without what may be null."""
    shown = set()
    for event in events():
        assert not objections(event.value)
        shown.add(event.type)
    assert shown == {
        f"payments.{kind}.{action}" for kind, ranks in RANKS.items() for action in ranks
    }


BAD_EVENTS = {
    "no field may be missing": lambda e: e["data"].pop("previous_status"),
    "no attribute may be missing": lambda e: e.pop("specversion"),
    "an id is a UUID": lambda e: e.update(id="aBc123"),
    "a type is one of the known": lambda e: e.update(type="payments.invoice.eaten"),
    "an invoice is never confirmed": lambda e: e["data"].update(action="confirmed"),
    "an invoice's status is an invoice's": lambda e: e["data"].update(status="voided"),
    "nor was it ever": lambda e: e["data"].update(previous_status="voided"),
    "a kind is one of the known": lambda e: e["data"]["resource"].update(kind="cheque"),
    "an amount is no float": lambda e: e["data"]["amount"].update(value=10.0),
    "an amount is not negative": lambda e: e["data"]["amount"].update(value="-10.00"),
    "an amount has no exponent": lambda e: e["data"]["amount"].update(value="1E+1"),
    "a sequence counts from one": lambda e: e["data"].update(sequence=0),
    "an origin is one of four": lambda e: e["data"].update(origin="rumour"),
    "related ids are text": lambda e: e["data"].update(related={"order": 1}),
}


@pytest.mark.parametrize("spoil", BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_what_is_no_event_is_not_valid(spoil: Any) -> None:
    """The schema is worth something to a consumer: it refuses what we never publish."""
    event = deepcopy(sample())
    spoil(event)
    assert not is_valid(event_json_schema(), event)


def test_readers_may_meet_new_fields() -> None:
    """The schema leaves room for version 1 to grow, at each level."""
    event = sample()
    for part in (event, event["data"], event["data"]["resource"], event["data"]["amount"]):
        part["new"] = 1
    assert is_valid(event_json_schema(), event)


def test_every_field_is_described() -> None:
    """Each field says in words what it is, by itself or by its type."""
    schema = event_json_schema()
    for part in [schema, *schema["$defs"].values()]:
        assert part["description"]
        for name, field in part["properties"].items():
            assert "description" in field or "$ref" in field, name


def test_version_1_breaks_no_reader() -> None:
    """Nothing that a reader of version 1 relies on has changed since the baseline."""
    assert breaks(read(BASELINE), event_json_schema()) == []


def test_the_baseline_knows_all_of_version_1() -> None:
    """What was added is promised too: ``python -m tests.unit.handlers.pin --write``."""
    assert breaks(event_json_schema(), read(BASELINE)) == []


@pytest.mark.parametrize(
    ("name", "made"), [(EVENT_FILE, event_json_schema()), (ASYNCAPI_FILE, asyncapi_document())]
)
def test_the_published_documents_are_current(name: str, made: dict[str, Any]) -> None:
    """docs/schema holds what the code says: ``python -m tests.unit.handlers.pin --write``."""
    assert read(SCHEMAS / name) == made


def test_nothing_is_left_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that keeps these files finds them as they should be, to the byte."""
    assert main([]) == 0, capsys.readouterr().out


def test_asyncapi_names_every_default_topic() -> None:
    """Each topic that the default routes know is a channel, with the kinds that go there."""
    channels = asyncapi_document()["channels"]
    for route in DEFAULT_ROUTES:
        kinds = {route.kind} if route.kind else RANKS.keys()
        assert channels[route.topic]["address"] == route.topic
        assert kinds <= channels[route.topic]["messages"].keys()
        assert "read_committed" in channels[route.topic]["description"]


def test_asyncapi_tells_consumers_first_how_to_read() -> None:
    """Before anything else the document says that readers must use read_committed."""
    info = asyncapi_document()["info"]
    assert "isolation.level=read_committed" in info["description"].split("\n\n")[0]


def test_asyncapi_describes_the_records_as_they_are() -> None:
    """Headers, content type and payload of each message are those of a real event."""
    messages = asyncapi_document()["components"]["messages"]
    for event in events():
        body = json.loads(event.value)
        message = messages[body["data"]["resource"]["kind"]]
        headers = {name: raw.decode() for name, raw in event.headers}
        assert message["contentType"] == CONTENT_TYPE
        assert is_valid(message["headers"], headers)
        assert headers.keys() == message["headers"]["properties"].keys()
        event_schema, of_kind = message["payload"]["allOf"]
        assert event_schema == {"$ref": f"./{EVENT_FILE}"}
        assert is_valid(of_kind, body)
        assert message["bindings"]["kafka"]["key"]["type"] == "string"


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    """Each local reference names a part of the document."""
    document = asyncapi_document()
    local = [each for each in references(document) if each.startswith("#")]
    assert local
    for reference in local:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(value: Any) -> list[str]:
    """Return all references in a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for inner in value.values() for found in references(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in references(inner)]
    return []
