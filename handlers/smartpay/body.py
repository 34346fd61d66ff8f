"""Where the resource is in what SmartPay sends.

The shape of a webhook's body is not documented; the fields of a resource are. So they are looked
for flat and below the wrappers seen in the field, and lists of pairs count as the objects they
stand for (SmartPay's API documents show objects as such lists).
"""

from collections.abc import Iterable

import msgspec

from handlers.jsontext import Json, JsonObject, Unreadable, parse_object
from handlers.resource import usable_id
from handlers.smartpay import values

INVOICE = "invoice"
ORDER = "order"

ID_FIELDS = {INVOICE: "invoice_id", ORDER: "order_id"}
"""The field that names a resource of each kind, in order of precedence."""

CUSTOM_ID_FIELDS = ("order_custom_id", "custom_order_id")
"""The merchant's own id of the order: as webhooks name the field, and as the listing does."""

DUMMY = "is_dummy"
"""The field that marks test data."""

_WRAPPERS = ("data", INVOICE, ORDER, "result")
_INVOICE_ONLY = ("amount", "amount_discounted", "date_paid", "date_failed")
_DEPTH = 2


class Found(msgspec.Struct, frozen=True, gc=False):
    """The one resource that a body is about, and the fields that are the resource's own.

    Only ``is_dummy`` may come from what is around it.
    """

    kind: str
    id: str
    fields: JsonObject


def find(body: JsonObject) -> Found | None:
    """Return the resource that keys ``body``: an invoice before an order, the outermost first."""
    outermost = usable_id(body.get(ID_FIELDS[INVOICE]))
    if outermost is not None and body.keys().isdisjoint(_WRAPPERS):
        # What nearly every body is like, and then there is no other place to look at.
        return Found(INVOICE, outermost, body)
    places = _places(body)
    for kind, id_field in ID_FIELDS.items():
        for wrapper, fields in places:
            id = usable_id(fields.get(id_field))  # noqa: A001 - the provider's word
            if id is not None and (kind == INVOICE or _may_be_order(wrapper, fields)):
                return Found(kind, id, _marked(fields, places))
    return None


class _Ids(msgspec.Struct, gc=False):
    """The ids that a body has outermost."""

    invoice_id: str = ""
    order_id: str = ""


_Outermost = msgspec.defstruct(
    "_Outermost",
    # Whatever keeps an order's id from being the whole answer is noticed, and not read.
    [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in _WRAPPERS + _INVOICE_ONLY],
    bases=(_Ids,),
    gc=False,
)
_outermost: msgspec.json.Decoder[_Ids] = msgspec.json.Decoder(_Outermost)


def keyed_by(raw: bytes) -> tuple[str, str] | None:
    """Return kind and id of what :func:`find` finds in the JSON ``raw``.

    What cannot be read as a whole may be keyed all the same, by an outermost id.

    Raises:
        Unreadable: there is no such id, and ``raw`` is not a JSON object.

    """
    # Most bodies say outermost what they are about, and then nothing else is read.
    try:
        ids = _outermost.decode(raw)
    except (ValueError, RecursionError):
        pass
    else:
        # Nothing goes before the outermost invoice.
        id = usable_id(ids.invoice_id)  # noqa: A001 - the provider's word
        if id is not None:
            return INVOICE, id
        id = usable_id(ids.order_id)  # noqa: A001
        if id is not None and ids == _Outermost(order_id=ids.order_id):
            return ORDER, id
    found = find(parse_object(raw))
    return None if found is None else (found.kind, found.id)


def own_fields(row: JsonObject) -> JsonObject:
    """Return the fields of the resource that a listing's row is about; the row if it is none."""
    found = find(row)
    return row if found is None else found.fields


def mentioned(body: JsonObject, *fields: str) -> str | None:
    """Return the first usable id that ``body`` has in one of ``fields``, None without any."""
    ids = (usable_id(place.get(field)) for field in fields for _, place in _places(body))
    return next((id for id in ids if id is not None), None)  # noqa: A001 - the provider's word


def is_dummy(body: JsonObject) -> bool:
    """Tell whether any part of ``body`` calls it a dummy, in a way that can be read."""
    return any(_is_true(place.get(DUMMY)) for _, place in _places(body))


def as_object(value: Json) -> JsonObject | None:
    """Return ``value`` as the object it is or stands for, None if it is neither.

    An object, a list of a single object, or a list of one-pair objects with different names.
    """
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not value:
        return None
    objects = [item for item in value if isinstance(item, dict)]
    if len(objects) < len(value):
        return None
    if len(objects) == 1:
        return objects[0]
    merged = {name: held for item in objects for name, held in item.items()}
    is_pairs = all(len(item) == 1 for item in objects) and len(merged) == len(objects)
    return merged if is_pairs else None


def _places(body: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return each object that might be the resource, with the name of what wraps it."""
    places = level = [("", body)]
    for _ in range(_DEPTH):
        level = [
            (name, inner)
            for _, outer in level
            for name in _WRAPPERS
            if name in outer and (inner := as_object(outer[name])) is not None
        ]
        if not level:
            break
        places = places + level
    return places


def _may_be_order(wrapper: str, fields: JsonObject) -> bool:
    # An invoice carries its order's id too: to take it for the order would read the invoice's
    # is_enabled as the order's.
    stated = fields.get(ID_FIELDS[INVOICE])
    is_nameless_invoice = any(field in fields for field in _INVOICE_ONLY)
    return wrapper != INVOICE and stated in (None, "") and not is_nameless_invoice


def _marked(fields: JsonObject, places: Iterable[tuple[str, JsonObject]]) -> JsonObject:
    """Return ``fields`` with the ``is_dummy`` of whatever calls any part of the body a dummy.

    The documents say of a test notification only that its payload has ``is_dummy: true``, not
    where: a mark that was passed over would make money of a test.
    """
    for _, place in places:
        mark = place.get(DUMMY)
        if not _is_false(mark):
            return {**fields, DUMMY: mark}
    return fields


def _is_true(mark: Json) -> bool:
    try:
        return values.boolean(mark) is True
    except Unreadable:
        return False


def _is_false(mark: Json) -> bool:
    try:
        return not values.boolean(mark)
    except Unreadable:
        return False
