"""The public schema as documents: JSON Schema for the event, AsyncAPI for the topics.

Both are made from what the program itself uses (the event's model, the ranks of the actions, the
default routes), so that they cannot say anything else. The event's schema leaves room for fields to
come: that is how version 1 may grow, and why readers must ignore what they do not know.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeAlias

from config.topics import DEFAULT_ROUTES
from handlers.event import CONTENT_TYPE, SCHEMA, PaymentEvent
from handlers.fact import RANKS

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, or a part of a document around one."""

EVENT_FILE = "payment-event-1.json"
ASYNCAPI_FILE = "asyncapi.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_READERS = """\
Every event is published exactly once **for readers with `isolation.level=read_committed`**. \
Most clients, those on librdkafka excepted, default to `read_uncommitted`, which also shows events \
of transactions that were aborted: set it before anything else.

The Kafka key is the event's `partitionkey`, so all events of one resource are in one partition, \
in the order of their `sequence`. The CloudEvents attributes are repeated as `ce_*` headers, to \
filter by without parsing. Ignore fields that you do not know. The operator may have put a prefix \
before the names of the topics, or routed events to others."""


def event_json_schema() -> Schema:
    """Return the JSON Schema (2020-12) of the event as it is published."""
    schema = _open(PaymentEvent.model_json_schema(mode="serialization"))
    attributes, parts = schema["properties"], schema["$defs"]
    data = parts["PaymentData"]
    actions = sorted({action for ranks in RANKS.values() for action in ranks})
    attributes["id"] |= {"format": "uuid"}
    attributes["type"] |= {
        "pattern": r"^payments\.[a-z_]+\.[a-z_]+$",
        "enum": [name for kind in RANKS for name in _types(kind)],
    }
    parts["ResourceData"]["properties"]["kind"]["enum"] = list(RANKS)
    data["properties"]["action"]["enum"] = actions
    data["properties"]["status"]["enum"] = actions
    data["properties"]["previous_status"]["anyOf"][0]["enum"] = actions
    data["allOf"] = [_actions_of(kind) for kind in RANKS]
    return {"$schema": _DIALECT, "$id": SCHEMA, **schema}


def asyncapi_document() -> Schema:
    """Return the AsyncAPI 3.0 document of the event topics, as they are named by default.

    Source: AsyncAPI 3.0.0, its Kafka bindings 0.5.0, and CloudEvents' Kafka binding 1.0.2.
    """
    kinds_by_topic: dict[str, list[str]] = defaultdict(list)
    for route in DEFAULT_ROUTES:
        kinds_by_topic[route.topic] += list(RANKS) if route.kind is None else [route.kind]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:payevents",
        "info": {"title": "payevents", "version": "1.0.0", "description": _READERS},
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic: _channel(topic, kinds) for topic, kinds in kinds_by_topic.items()},
        "operations": {
            f"publish.{topic}": _operation(topic, kinds) for topic, kinds in kinds_by_topic.items()
        },
        "components": {"messages": {kind: _message(kind) for kind in RANKS}},
    }


def documents() -> Mapping[str, str]:
    """Return both documents as text, by the name of the file that each is published in."""
    made = {EVENT_FILE: event_json_schema(), ASYNCAPI_FILE: asyncapi_document()}
    return {name: json.dumps(document, indent=2) + "\n" for name, document in made.items()}


def _open(schema: Schema) -> Schema:
    """Let a model's schema admit further fields, and take the titles that only repeat names."""
    parts = [schema, *schema["$defs"].values()]
    for part in parts:
        del part["additionalProperties"]
        for described in part["properties"].values():
            described.pop("title", None)
    return schema


def _types(kind: str) -> list[str]:
    return [f"payments.{kind}.{action}" for action in RANKS[kind]]


def _actions_of(kind: str) -> Schema:
    """Return the condition that events of ``kind`` have no other actions than its own."""
    actions = list(RANKS[kind])
    is_kind = {"properties": {"resource": {"properties": {"kind": {"const": kind}}}}}
    return {
        "if": is_kind,
        "then": {
            "properties": {
                "action": {"enum": actions},
                "status": {"enum": actions},
                "previous_status": {"enum": [*actions, None]},
            }
        },
    }


def _channel(topic: str, kinds: list[str]) -> Schema:
    is_test = next(route.test for route in DEFAULT_ROUTES if route.topic == topic)
    holds = (
        "Every test event: never money." if is_test else f"Kinds of resource: {', '.join(kinds)}."
    )
    return {
        "address": topic,
        "description": f"{holds} Read it with `isolation.level=read_committed`.",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: str, kinds: list[str]) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"payevents publishes to {topic}, each event once, in a Kafka transaction.",
        "messages": [{"$ref": f"#/channels/{topic}/messages/{kind}"} for kind in kinds],
    }


def _message(kind: str) -> Schema:
    of_kind = {"properties": {"type": {"enum": _types(kind)}}}
    return {
        "name": f"payments.{kind}",
        "title": f"Something happened to {_with_article(kind)}",
        "summary": ", ".join(RANKS[kind]),
        "contentType": CONTENT_TYPE,
        "headers": _headers(kind),
        "payload": {"allOf": [{"$ref": f"./{EVENT_FILE}"}, of_kind]},
        "bindings": {"kafka": {"key": _key(), "bindingVersion": "0.5.0"}},
    }


def _headers(kind: str) -> Schema:
    attributes = PaymentEvent.model_fields
    repeated = {
        "id": {"format": "uuid"},
        "source": {},
        "subject": {},
        "time": {"format": "date-time"},
    }
    headers: Schema = {
        "content-type": {"type": "string", "const": CONTENT_TYPE},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "enum": _types(kind)},
    } | {
        f"ce_{name}": {"type": "string", "description": attributes[name].description, **more}
        for name, more in repeated.items()
    }
    return {"type": "object", "required": list(headers), "properties": headers}


def _key() -> Schema:
    return {
        "type": "string",
        "description": "The resource, as in `partitionkey`: smartpay/shop/invoice/aBc123",
    }


def _with_article(kind: str) -> str:
    words = kind.replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
