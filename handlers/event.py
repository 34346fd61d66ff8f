"""The event: a CloudEvents 1.0 envelope around payment data. The public schema, version 1.

Events are written by :mod:`handlers.writing`, which knows the same fields in the same order.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic.json_schema import WithJsonSchema

from handlers.clock import from_rfc3339, rfc3339

SCHEMA: Final = "urn:payevents:payment-event:1"
SPECVERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/cloudevents+json"


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else from_rfc3339(str(value))


Moment: TypeAlias = Annotated[
    datetime,
    PlainValidator(_moment),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in RFC 3339, UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class ResourceData(_Part):
    """The provider's resource that the event is about."""

    kind: str = Field(description="What the resource is.")
    id: str = Field(description="The provider's id, as text.")
    url: str | None = Field(description="Where the provider shows it, if it says.")


class AmountData(_Part):
    """What the payer is to pay, or gets back: never negative, the kind tells the direction."""

    value: str = Field(
        description="In major units, with all decimals of the currency.",
        pattern=r"^[0-9]+(\.[0-9]+)?$",
    )
    minor_units: int = Field(description="The same in minor units, such as cents.", ge=0)
    currency: str = Field(description='ISO 4217, or "cherries".')


class Evidence(_Part):
    """The observation that the event was made from."""

    topic: str = Field(description="The inbox topic.")
    partition: int = Field(description="The inbox partition.")
    offset: int = Field(description="The offset in that partition.")
    sha256: str = Field(description="Of the observation's bytes, in hex.")


class PaymentData(_Part):
    """What happened, to what, and how we know."""

    provider: str = Field(description="Who told of it, such as smartpay.")
    account: str = Field(description="The account's name in the configuration.")
    resource: ResourceData
    action: str = Field(description="What happened, such as paid or voided: book money by this.")
    status: str = Field(
        description="The action that comes last in the kind's natural order; for showing."
    )
    previous_status: str | None = Field(description="Its status before this event.")
    sequence: int = Field(description="Counts the resource's events from 1, without gaps.", ge=1)
    amount: AmountData | None = Field(description="null where the provider states none.")
    related: dict[str, str] = Field(description="Ids of related resources, by kind.")
    occurred_at: Moment | None = Field(description="When, by the provider; null if it is silent.")
    observed_at: Moment = Field(description="When payevents learned of it.")
    origin: Literal["webhook", "poll", "reconciliation", "lookup"] = Field(
        description="How payevents learned of it."
    )
    inferred: bool = Field(description="A creation concluded from a later fact.")
    late: bool = Field(description="The resource had already moved past this.")
    test: bool = Field(description="Test data, never money.")
    evidence: Evidence
    provider_data: dict[str, Any] = Field(
        description="The resource as the provider showed it; numbers with decimals as text."
    )


class PaymentEvent(_Part):
    """A CloudEvents 1.0 event in structured mode."""

    specversion: Literal["1.0"] = Field(
        default=SPECVERSION, description="The version of CloudEvents."
    )
    id: str = Field(description="Deterministic: the same fact always has the same id (UUIDv5).")
    source: str = Field(description="Provider and account; test data is a source of its own.")
    type: str = Field(description="payments.<kind>.<action>")
    subject: str = Field(description="<kind>/<id>, the id percent-encoded.")
    time: Moment = Field(
        description="When it happened, as far as is known: `occurred_at`, for an inferred creation"
        " that of the fact which implied it, else `observed_at`."
    )
    datacontenttype: Literal["application/json"] = Field(
        default="application/json", description="The media type of `data`."
    )
    dataschema: Literal["urn:payevents:payment-event:1"] = Field(
        default=SCHEMA, description="The schema of this event, and its version."
    )
    partitionkey: str = Field(description="The Kafka key: the resource.")
    data: PaymentData
