"""Whose story is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.resource import ResourceKey, unknown_key
from receiver.explaining.subject import BadSubject, Subject, subject_of, subjects_named

ACCOUNTS = [("smartpay", "shop")]


def ids(text: str) -> list[str]:
    """Return the ids that ``text`` can mean."""
    return [subject.id for subject in subjects_named(text, ACCOUNTS)]


def test_an_id_is_taken_encoded_or_raw() -> None:
    """Where a text can be both, both are meant, the encoded one first."""
    assert ids("invoice/aBc123") == ["aBc123"]
    assert ids("invoice/a/b") == ["a/b"]
    assert ids("invoice/a%2Fb") == ["a/b", "a%2Fb"]
    assert ids("invoice/100%") == ["100%"]


@given(st.text(min_size=1, max_size=20))
def test_every_subject_of_an_event_is_understood(id_: str) -> None:
    """What an event names in ``subject`` is among what it can mean, whatever the id."""
    subject = ResourceKey("smartpay", "shop", "invoice", id_).subject
    assert id_ in ids(subject)


@given(st.text(min_size=1, max_size=20))
def test_an_inbox_key_is_read_back(id_: str) -> None:
    """A key gives the subject that gives the key."""
    subject = Subject("smartpay", "shop", "invoice", id_)
    assert subject_of(subject.inbox_key) == subject


def test_bytes_that_name_no_resource_have_none() -> None:
    """They have a story, but no ledger entry and no events."""
    subject = subject_of(unknown_key("smartpay", "shop", "5fc1"))
    assert (subject.resources, subject.inbox_key) == ((), "smartpay/shop/unknown/5fc1")
    assert subjects_named("unknown/5fc1", ACCOUNTS) == [subject]


def test_live_and_test_data_are_one_subject() -> None:
    """They share their observations' key."""
    [subject] = subjects_named("invoice/i1", ACCOUNTS)
    assert [resource.test for resource in subject.resources] == [False, True]
    assert {resource.inbox_key for resource in subject.resources} == {subject.inbox_key}


@pytest.mark.parametrize("text", ["aBc123", "invoise/1", "invoice", "invoice/", "/1", ""])
def test_what_names_nothing_is_refused(text: str) -> None:
    """The message says what to write."""
    with pytest.raises(BadSubject, match="write <kind>/<id>"):
        subjects_named(text, ACCOUNTS)
