"""How a conversation signs in, and how it renews a token."""

from datetime import timedelta

import pytest

from handlers.exchange import AccountFailed, CallFailed, Refused, Response
from handlers.provider import Session
from handlers.subscriply.handler import SubscriplyHandler
from tests.support.conversation import Answerer, converse, script

from .host import NOW, ROOT, Members, settings, transactions

SIGN_IN = "/authentication/sign_in"
LIST = "/subscriptions"
UNAUTHORIZED = Response.json(401, {"error": "no"})


def signed_in(token: object) -> Response:
    """Return the answer to a sign-in."""
    return Response(200, b'{"user": {"authentication_token": "%s"}}' % str(token).encode())


def poll_root(answer: Answerer, **changed: object) -> None:
    """Poll the root watch of an account with these settings, in a new session."""
    handler = SubscriplyHandler(settings(**changed))
    converse(handler.poll(ROOT, timedelta(), Session(lambda: NOW)), answer)


def test_one_sign_in_serves_all_calls() -> None:
    """The first call signs in; later ones use the token that the session keeps."""
    members = Members()
    members.poll(ROOT)
    members.poll(ROOT)
    assert members.paths() == [SIGN_IN, LIST, LIST]


def test_the_request_is_as_documented() -> None:
    """Credentials travel in the sign-in's body, then the token and address in two headers."""
    members = Members()
    members.poll(ROOT)
    sign_in, listing = members.requests
    assert sign_in.method == "POST"
    assert (
        sign_in.body
        == b'{"user":{"email":"members@sandbox.example","password":"password-of-members"}}'
    )
    assert listing.headers["x-user-email"] == "members@sandbox.example"
    assert listing.headers["x-user-token"] == members.session.token
    assert all(not request.query for request in members.requests)


def test_an_expired_token_is_renewed_once() -> None:
    """A 401 on a call signs in again and repeats the call."""
    members = Members()
    members.poll(ROOT)
    members.cause("expire-tokens")
    members.poll(ROOT)
    assert members.paths() == [SIGN_IN, LIST, LIST, SIGN_IN, LIST]


def test_a_new_token_that_is_not_accepted_is_a_refusal() -> None:
    """A second 401, after signing in again, is Refused; there is no third try."""
    answer = script(signed_in("a"), UNAUTHORIZED, signed_in("b"), UNAUTHORIZED)
    with pytest.raises(Refused):
        poll_root(answer)


def test_wrong_credentials_are_refused_at_once() -> None:
    """A sign-in answered 401 is Refused, without another try."""
    with pytest.raises(Refused):
        poll_root(script(UNAUTHORIZED))


def test_the_sandbox_refuses_a_wrong_password() -> None:
    """A password that is not the user's is Refused."""
    members = Members()
    with pytest.raises(Refused):
        poll_root(members.handle, email=members.settings.email)
    assert members.paths() == [SIGN_IN]


def test_a_configured_token_is_used_and_never_renewed() -> None:
    """A configured token needs no sign-in; once it gets 401 the account is Refused."""
    members = Members()
    members.poll(ROOT)
    given = {"email": members.settings.email, "password": None, "token": members.session.token}
    members.requests.clear()
    poll_root(members.handle, **given)
    assert members.paths() == [LIST]
    members.cause("expire-tokens")
    with pytest.raises(Refused, match="configured token"):
        poll_root(members.handle, **given)
    assert members.paths() == [LIST, LIST]


def test_the_sign_in_path_is_configurable() -> None:
    """A site that signs in elsewhere is asked there."""
    handler = SubscriplyHandler(settings(sign_in_path="/users/sign_in"))
    conversation = handler.poll(ROOT, timedelta(), Session(lambda: NOW))
    assert next(conversation).path == "/users/sign_in"
    assert conversation.send(signed_in("a")).path == LIST


@pytest.mark.parametrize(
    "answer",
    [
        Response(500),
        None,
        Response(200, b"<html>"),
        Response.json(200, {}),
        Response.json(200, {"user": None}),
        Response.json(200, {"user": {"authentication_token": None}}),
        Response.json(200, {"user": {"authentication_token": ""}}),
        Response.json(200, {"user": {"authentication_token": "a\r\nb: c"}}),
    ],
)
def test_a_sign_in_that_fails_otherwise_fails_the_account(answer: Response | None) -> None:
    """Without a usable token nothing of the account is served, also for a single watch."""
    handler = SubscriplyHandler(settings())
    session = Session(lambda: NOW)
    with pytest.raises(AccountFailed) as failed:
        converse(handler.poll(transactions("7"), timedelta(), session), script(answer))
    assert not isinstance(failed.value, Refused | CallFailed)
    assert session.token is None


def test_a_token_renewed_by_another_conversation_is_taken_over() -> None:
    """A 401 for a token that has been renewed meanwhile repeats the call, without a sign-in."""
    members = Members()
    subscription = members.cause("add-subscription")["id"]
    members.poll(ROOT)
    members.cause("expire-tokens")
    slow = members.start(transactions(subscription))
    old = next(slow)
    members.poll(ROOT)
    members.requests.clear()
    again = slow.send(members.handle(old))
    assert again.headers["x-user-token"] == members.session.token
    with pytest.raises(StopIteration):
        slow.send(members.handle(again))
    assert SIGN_IN not in members.paths()


def test_a_late_401_does_not_drop_the_renewed_token() -> None:
    """The 401 of an old token leaves the session's newer token alone."""
    members = Members()
    members.poll(ROOT)
    slow = members.start(ROOT)
    next(slow)
    members.session.token = "renewed"
    slow.send(UNAUTHORIZED)
    assert members.session.token == "renewed"


def test_sign_ins_that_cross_are_no_refusal() -> None:
    """Where each sign-in ends the token before it, the one that was overtaken takes the newer."""
    session = Session(lambda: NOW)
    slow = SubscriplyHandler(settings()).poll(ROOT, timedelta(), session)
    assert next(slow).path == SIGN_IN
    slow.send(signed_in("first"))
    assert slow.send(UNAUTHORIZED).path == SIGN_IN
    slow.send(signed_in("second"))
    session.token = "third"
    assert slow.send(UNAUTHORIZED).headers["x-user-token"] == "third"


def test_a_token_taken_over_may_be_renewed_in_its_turn() -> None:
    """When the token taken over gets 401 too, the conversation signs in itself, once."""
    session = Session(lambda: NOW, token="first")
    slow = SubscriplyHandler(settings()).poll(ROOT, timedelta(), session)
    next(slow)
    session.token = "second"
    assert slow.send(UNAUTHORIZED).headers["x-user-token"] == "second"
    assert slow.send(UNAUTHORIZED).path == SIGN_IN
    assert slow.send(signed_in("third")).headers["x-user-token"] == "third"
    with pytest.raises(Refused):
        slow.send(UNAUTHORIZED)
