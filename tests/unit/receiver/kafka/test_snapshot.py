"""What a snapshot shows of records that others wrote."""

from typing import cast

from receiver.kafka.clients import KafkaHeaders
from receiver.kafka.snapshot import Row


def test_a_null_header_is_no_text() -> None:
    """Kafka's headers may be null: one such dead letter must not hide all the others."""
    headers = cast("KafkaHeaders", [("null", None), ("odd", b"\xff")])
    row = Row(b"key", b"value", headers)
    assert (row.header("null"), row.header("missing"), row.header("odd")) == (
        "",
        "",
        "\N{REPLACEMENT CHARACTER}",
    )
