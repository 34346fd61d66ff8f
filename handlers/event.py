"""The event: a CloudEvents 1.0 envelope around payment data. The public schema, version 1."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic.json_schema import WithJsonSchema

from handlers.clock import from_rfc3339, rfc3339
from handlers.fact import Reading
from handlers.jsontext import Json, JsonObject
from handlers.ledger import Publication
from handlers.observation import Observation, Position

SCHEMA: Final = "urn:payevents:payment-event:1"
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
    """What the payer is to pay, or gets back: always positive, the kind tells the direction."""

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
    action: str = Field(description="What happened, such as paid or voided.")
    status: str = Field(description="The resource's status now; it never goes back.")
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

    specversion: Literal["1.0"] = Field(default="1.0", description="The version of CloudEvents.")
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

    def encode(self) -> bytes:
        """Return the event as JSON, as the Kafka value holds it."""
        return self.model_dump_json().encode()

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the Kafka headers, so that consumers can filter without parsing.

        Source: CloudEvents Kafka protocol binding 1.0.2, section 3.3.
        """
        return [
            ("content-type", CONTENT_TYPE.encode()),
            ("ce_specversion", self.specversion.encode()),
            ("ce_id", self.id.encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", rfc3339(self.time).encode()),
        ]


def make_event(
    publication: Publication,
    reading: Reading,
    observation: Observation,
    position: Position,
    *,
    source_base: str = "",
) -> PaymentEvent:
    """Return the event of one newly published fact."""
    resource, fact, amount = reading.resource, publication.fact, reading.amount
    return PaymentEvent(
        id=str(fact.id),
        source=f"{source_base}{resource.source}",
        type=f"payments.{resource.kind}.{fact.action}",
        subject=resource.subject,
        time=publication.time,
        partitionkey=resource.partition_key,
        data=PaymentData(
            provider=resource.provider,
            account=resource.account,
            resource=ResourceData(kind=resource.kind, id=resource.id, url=reading.url),
            action=fact.action,
            status=publication.status,
            previous_status=publication.previous_status,
            sequence=publication.sequence,
            amount=None
            if amount is None
            else AmountData(
                value=amount.value, minor_units=amount.minor_units, currency=amount.currency
            ),
            related=dict(reading.related),
            occurred_at=fact.occurred_at,
            observed_at=observation.received_at,
            origin=observation.origin.value,
            inferred=publication.inferred,
            late=publication.late,
            test=resource.test,
            evidence=Evidence(
                topic=position.topic,
                partition=position.partition,
                offset=position.offset,
                sha256=observation.digest,
            ),
            provider_data=_plain(reading.details),
        ),
    )


def _plain(details: JsonObject) -> dict[str, Any]:
    # Readers parse JSON numbers as floats: a decimal goes as text, so that none of it is lost.
    return {name: _plain_value(value) for name, value in details.items()}


def _plain_value(value: Json) -> Any:  # noqa: ANN401 - JSON, whatever it holds
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -(2**53) < value < 2**53:
        return value
    return str(value)
