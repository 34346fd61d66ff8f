"""Observations on their way through the inbox."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.observation import CONFIRMED, Observation, Origin

from .lives import moments

NOW = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)
OBSERVATION = Observation("shop", Origin.WEBHOOK, "invoice/paid", NOW, b'{"a": 1}', "r1", "00-ab")
TEXT = st.text(max_size=5)

milliseconds = moments.map(lambda moment: moment.replace(microsecond=1000))

observations = st.builds(
    Observation,
    account=TEXT,
    origin=st.sampled_from(Origin),
    topic=TEXT,
    received_at=milliseconds,
    body=st.binary(),
    request_id=TEXT,
    traceparent=st.none() | TEXT,
    verdict=st.none() | st.just(CONFIRMED) | TEXT,
    letter_id=st.none() | TEXT,
    news_since=st.none() | milliseconds,
    created_before=st.none() | milliseconds,
)


@given(observations)
def test_an_observation_survives_the_inbox(observation: Observation) -> None:
    """Headers and value of a record give back the very observation, bytes and all."""
    assert Observation.from_record(observation.headers(), observation.body) == observation


def test_only_what_is_there_travels() -> None:
    """What an observation lacks is no header."""
    names = {name for name, _ in OBSERVATION.headers()}
    assert names == {
        "payevents-account",
        "payevents-origin",
        "payevents-topic",
        "payevents-received-at",
        "payevents-request-id",
        "traceparent",
    }


def test_the_digest_is_of_the_bytes_as_they_came() -> None:
    """The digest is the SHA-256 of the body, in hex."""
    assert OBSERVATION.digest == sha256(b'{"a": 1}').hexdigest()


def test_headers_of_others_are_ignored() -> None:
    """What others add on the way, binary or null, does no harm."""
    headers = [*OBSERVATION.headers(), ("x-agent", b"\xff\x00"), ("x-null", None)]
    assert Observation.from_record(headers, OBSERVATION.body) == OBSERVATION


def test_of_equal_headers_the_last_counts() -> None:
    """Kafka's headers may repeat: the last one is taken."""
    headers = [("payevents-account", b"other"), *OBSERVATION.headers()]
    assert Observation.from_record(headers, OBSERVATION.body) == OBSERVATION


REQUIRED = ["payevents-account", "payevents-origin", "payevents-topic", "payevents-received-at"]


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_record_without_a_header_of_ours_is_refused(missing: str) -> None:
    """A record that payevents did not write is a ValueError that names what it lacks."""
    headers = [(name, raw) for name, raw in OBSERVATION.headers() if name != missing]
    for foreign in (headers, [*headers, (missing, None)]):
        with pytest.raises(ValueError, match=missing):
            Observation.from_record(foreign, b"")


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("payevents-origin", b"rumour"),
        ("payevents-account", b"\xff"),
        ("payevents-received-at", b"yesterday"),
        ("payevents-received-at", b"2026-01-01T00:00:00"),
        ("payevents-received-at", b"0001-01-01T00:00:00+14:00"),
        ("payevents-verdict", b"\xff"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(name: str, raw: bytes) -> None:
    """A header of ours that holds what we would not write is a ValueError, nothing else."""
    headers = [*OBSERVATION.headers(), (name, raw)]
    with pytest.raises(ValueError, match=r".+"):
        Observation.from_record(headers, b"")


def test_an_observation_cannot_be_changed() -> None:
    """An observation is what was told, once and for all."""
    with pytest.raises(AttributeError):
        OBSERVATION.body = b""  # type: ignore[misc]  # the mistake that is tested
    assert replace(OBSERVATION, body=b"").digest != OBSERVATION.digest
