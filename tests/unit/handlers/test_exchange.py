"""Requests and responses as values."""

from decimal import Decimal

import pytest

from handlers.exchange import (
    AccountFailed,
    CallFailed,
    ProviderFailure,
    Refused,
    Request,
    Response,
    WatchFailed,
)
from handlers.jsontext import Unreadable


def test_a_json_request_says_so() -> None:
    """The body is compact JSON, its type is declared, other headers stay."""
    request = Request.json("POST", "/x", {"a": Decimal("1.10")}, {"accept": "application/json"})
    assert (request.method, request.path, request.body) == ("POST", "/x", b'{"a":1.10}')
    assert request.headers == {"accept": "application/json", "content-type": "application/json"}
    assert request.query == {}


def test_a_form_is_encoded() -> None:
    """Whatever the fields hold reaches the other side as it was."""
    fields = {"token": "a b&c=d", "name": "é/"}
    request = Request.form("/x", fields)
    assert (request.method, request.parameters()) == ("POST", fields)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_parameters_are_read_from_json_too() -> None:
    """A flat JSON object gives parameters as text; no body gives none; an empty field is kept."""
    assert Request.json("POST", "/x", {"page": 2, "id": "a"}).parameters() == {
        "page": "2",
        "id": "a",
    }
    assert Request("POST", "/x", headers={"content-type": "application/json"}).parameters() == {}
    assert Request("POST", "/x", body=b"a=&b=1").parameters() == {"a": "", "b": "1"}
    with pytest.raises(Unreadable):
        Request.json("POST", "/x", [1]).parameters()


def test_a_response_gives_its_object() -> None:
    """A JSON answer is read exactly; anything else is unreadable."""
    answer = Response.json(200, {"amount": Decimal("1.10")})
    assert answer.object() == {"amount": Decimal("1.10")}
    assert answer.headers == {"content-type": "application/json"}
    with pytest.raises(Unreadable):
        Response(200, b"[]").object()


@pytest.mark.parametrize("failure", [CallFailed, WatchFailed, AccountFailed, Refused])
def test_every_failure_is_the_providers(failure: type[Exception]) -> None:
    """Whoever catches ProviderFailure has caught them all."""
    assert issubclass(failure, ProviderFailure)


def test_a_refusal_concerns_the_account() -> None:
    """Refused credentials open the account's breaker, as other failures of the account do."""
    assert issubclass(Refused, AccountFailed)
    assert not issubclass(WatchFailed, AccountFailed)


def test_no_credential_is_in_a_repr() -> None:
    """Passwords and tokens travel in headers and bodies, and a repr may end in a log."""
    headers = {"authorization": "s3cret"}
    request = Request("POST", "/sign_in", headers=headers, body=b"s3cret")
    response = Response(200, b"s3cret")
    assert "s3cret" not in repr((request, response))
    assert "/sign_in" in repr(request)
