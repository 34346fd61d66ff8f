"""A 200 counts only when its record was read."""

import pytest

from tests.bench.receive.proof import NotDurableError, Proof
from tests.bench.receive.traffic import Traffic, traffic


@pytest.fixture(scope="module")
def sent() -> Traffic:
    """Return a few webhooks."""
    return traffic(5, seed=1)


def see(proof: Proof, sent: Traffic, *numbers: int) -> None:
    """Let ``proof`` see the records of webhooks."""
    for number in numbers:
        proof.see(sent.keys[number], sent.webhooks[number].body)


def test_every_200_needs_a_record_of_its_own(sent: Traffic) -> None:
    """One record is not enough for two, and those without a 200 do not help."""
    proof = Proof(sent, [1, 2, 0, 0, 1])
    see(proof, sent, 0, 1, 2, 3, 3, 0)
    assert proof.missing == 2
    see(proof, sent, 1)
    assert proof.missing == 1
    see(proof, sent, 4)
    assert proof.missing == 0


def test_a_body_must_be_as_it_was_sent(sent: Traffic) -> None:
    """To the byte."""
    proof = Proof(sent, [1, 0, 0, 0, 0])
    body = sent.webhooks[0].body
    for altered in (body + b" ", body[:-1], body.replace(b"c", b"C", 1), b"", None):
        with pytest.raises(NotDurableError):
            proof.see(sent.keys[0], altered)
    assert proof.missing == 1


@pytest.mark.parametrize("key", [b"", None, b"smartpay/shop/invoice/other"])
def test_a_record_must_have_the_key_of_its_resource(sent: Traffic, key: bytes | None) -> None:
    """Whoever saves the work of finding it is no peer."""
    with pytest.raises(NotDurableError):
        Proof(sent, [1, 0, 0, 0, 0]).see(key, sent.webhooks[0].body)
