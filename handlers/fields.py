"""The fields of a provider's resource: read, or refused with the reason of a dead letter."""

from datetime import datetime

from handlers.clock import from_rfc3339
from handlers.fact import Uninterpretable
from handlers.jsontext import Json, JsonObject, Unreadable, parse_object
from handlers.letters import Reason
from handlers.money import Amount, from_minor
from handlers.resource import usable_id


def resource_object(body: bytes) -> JsonObject:
    """Return the resource in an observation's body.

    Raises:
        Uninterpretable: the body is not a JSON object.

    """
    try:
        return parse_object(body)
    except Unreadable as error:
        raise Uninterpretable(Reason.NOT_JSON, str(error)) from None


def resource_id(resource: JsonObject) -> str:
    """Return the resource's ``id`` as text.

    Raises:
        Uninterpretable: it has none that could name it.

    """
    found = usable_id(resource.get("id"))
    if found is None:
        raise Uninterpretable(Reason.NO_ID, "the resource has no usable id")
    return found


def word(resource: JsonObject, field: str) -> str:
    """Return a field that must be a non-empty string.

    Raises:
        Uninterpretable: it is not.

    """
    value = resource.get(field)
    if not isinstance(value, str) or not value:
        raise bad_field(field, value, "a word is expected")
    return value


def moment(resource: JsonObject, field: str) -> datetime | None:
    """Return a time written as ISO 8601 with an offset, in UTC; None where it is null or missing.

    Raises:
        Uninterpretable: it is something else.

    """
    value = resource.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad_field(field, value, "a time is expected")
    try:
        return from_rfc3339(value)
    except ValueError:
        raise bad_field(field, value, "ISO 8601 with an offset is expected") from None


def minor_amount(resource: JsonObject, field: str, currency: str) -> Amount | None:
    """Return an amount stated in minor units of ``currency``; None where it is null or missing.

    Raises:
        Uninterpretable: no whole number, or a negative or absurd one.

    """
    try:
        return from_minor(resource.get(field), currency)
    except Unreadable as error:
        msg = f"{field}: {error}"
        raise Uninterpretable(Reason.BAD_FIELD, msg) from None


def bad_field(field: str, value: Json, wanted: str) -> Uninterpretable:
    """Return the refusal of a field, with the beginning of what it holds."""
    return Uninterpretable(Reason.BAD_FIELD, f"{field} is {value!r:.40}: {wanted}")


def related(**ids: Json) -> dict[str, str]:
    """Return the other resources that a resource names, leaving out those it does not."""
    found = {name: usable_id(value) for name, value in ids.items()}
    return {name: id_ for name, id_ in found.items() if id_ is not None}
