"""The fields of a resource: read, or refused with the reason of a dead letter."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from handlers import fields
from handlers.fact import Uninterpretable
from handlers.jsontext import Json, JsonObject
from handlers.letters import Reason
from handlers.money import Amount

RESOURCE: JsonObject = {
    "id": 7,
    "state": "success",
    "created_at": "2014-02-18T13:38:57-05:00",
    "cents": 1999,
    "null": None,
}


def test_good_fields_are_read() -> None:
    """Ids, words, times and amounts come as what they mean."""
    assert fields.resource_object(b'{"id": 7}') == {"id": 7}
    assert fields.resource_id(RESOURCE) == "7"
    assert fields.word(RESOURCE, "state") == "success"
    moment = datetime(2014, 2, 18, 18, 38, 57, tzinfo=UTC)
    assert fields.moment(RESOURCE, "created_at") == moment
    assert fields.minor_amount(RESOURCE, "cents", "USD") == Amount(1999, "USD")


@pytest.mark.parametrize("field", ["null", "missing"])
def test_null_and_missing_say_nothing(field: str) -> None:
    """Where a time or an amount may be absent, null and missing are the same."""
    assert fields.moment(RESOURCE, field) is None
    assert fields.minor_amount(RESOURCE, field, "USD") is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_object_is_not_json(body: bytes) -> None:
    """Only an object can be a resource."""
    with pytest.raises(Uninterpretable) as refused:
        fields.resource_object(body)
    assert refused.value.reason == Reason.NOT_JSON


@pytest.mark.parametrize("found", [None, True, "", " ", Decimal("7.0"), [], {}])
def test_a_resource_without_an_id_is_refused(found: Json) -> None:
    """What cannot name a resource is no id."""
    with pytest.raises(Uninterpretable) as refused:
        fields.resource_id({"id": found})
    assert refused.value.reason == Reason.NO_ID


BAD: dict[str, list[Json]] = {
    "word": [None, "", 3, True, ["x"], {}],
    "moment": ["", "yesterday", 0, True, "2014-02-18T13:38:57", "0001-01-01T00:00:00+14:00", []],
    "minor_amount": ["ten", -1, Decimal("0.5"), True, [], {}],
}


@pytest.mark.parametrize(("read", "value"), [(read, bad) for read in BAD for bad in BAD[read]])
def test_a_field_that_cannot_be_read_is_refused_by_its_name(read: str, value: Json) -> None:
    """A refusal names the field, for whoever reads the dead letter."""
    more = ("USD",) if read == "minor_amount" else ()
    with pytest.raises(Uninterpretable, match="it") as refused:
        getattr(fields, read)({"it": value}, "it", *more)
    assert refused.value.reason == Reason.BAD_FIELD


def test_a_refusal_shows_only_the_beginning() -> None:
    """What a field holds is shown in part: it may be long."""
    assert len(str(fields.bad_field("name", "x" * 10_000, "a word is expected"))) < 100


def test_only_usable_ids_are_related() -> None:
    """Of the resources that one names, those with a usable id are kept."""
    assert fields.related(order="o1", consumer=7, invite=None, user=True) == {
        "order": "o1",
        "consumer": "7",
    }
