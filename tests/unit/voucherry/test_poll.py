"""How a Voucherry watch is read, and how it ends."""

from base64 import b64decode
from datetime import timedelta

import pytest

from handlers.exchange import CallFailed, Refused, Response, WatchFailed
from handlers.jsontext import Json, JsonObject, parse
from handlers.provider import Ending, Watch
from handlers.voucherry.handler import VoucherryHandler

from .host import BASE_URL, Cherries, answered, settings, start

WATCH = Watch("cherries", "cherries_requests", "7")
RESOURCE: JsonObject = {
    "id": 7,
    "cherries_amount": 50,
    "status": "waiting_for_confirmation",
    "url": f"{BASE_URL}/cherries_requests/7",
}
HOUR = timedelta(hours=1)


def resource(**changed: Json) -> Response:
    """Return an answer that shows the resource with some fields changed."""
    return Response.json(200, {**RESOURCE, **changed})


def authorization(**changed: object) -> str:
    """Return the credentials that a poll sends, decoded."""
    request = next(start(VoucherryHandler(settings(**changed)), WATCH))
    scheme, encoded = request.headers["authorization"].split(" ")
    assert scheme == "Basic"
    return b64decode(encoded).decode()


@pytest.mark.parametrize("control", ["create-transfer", "create-request"])
def test_a_watch_goes_from_waiting_to_done(control: str) -> None:
    """A resource is shown while it waits, and once more, as the end, when it is confirmed."""
    cherries = Cherries()
    made = cherries.cause(control)
    watch = cherries.handler.watch_resource(made, None)
    waiting = cherries.poll(watch)
    assert (waiting.status, waiting.ending) == ("waiting_for_confirmation", None)
    assert [(r.topic, parse(r.body)) for r in waiting.resources] == [(watch.kind, made)]
    assert cherries.poll(watch).resources == waiting.resources
    confirmed = cherries.cause("confirm")
    done = cherries.poll(watch)
    assert (done.status, done.ending) == ("confirmed", Ending.DONE)
    assert [parse(r.body) for r in done.resources] == [confirmed]
    assert {request.path for request in cherries.requests} == {f"/{watch.kind}/{watch.id}"}


def test_the_collections_are_read_apart() -> None:
    """A transfer and a request with the same id are read each from its own collection."""
    cherries = Cherries()
    transfer = cherries.cause("create-transfer", amount="10")
    request = cherries.cause("create-request", amount="20")
    assert transfer["id"] == request["id"]
    for made in (transfer, request):
        (shown,) = cherries.poll(cherries.handler.watch_resource(made, None)).resources
        assert parse(shown.body) == made


def test_a_resource_that_is_gone_ends_its_watch() -> None:
    """A 404 ends the watch as gone, and shows nothing."""
    cherries = Cherries()
    watch = cherries.handler.watch_resource(cherries.cause("create-request"), None)
    cherries.cause("delete")
    polled = cherries.poll(watch)
    assert (polled.resources, polled.ending) == ((), Ending.GONE)


def test_an_unknown_status_is_watched_on() -> None:
    """An unknown status is shown, and ends nothing."""
    cherries = Cherries()
    watch = cherries.handler.watch_resource(cherries.cause("create-request"), None)
    cherries.cause("set-status", status="on hold")
    polled = cherries.poll(watch)
    assert (polled.status, polled.ending, len(polled.resources)) == ("on hold", None, 1)


@pytest.mark.parametrize("status", [None, 7, {"a": 1}])
def test_a_status_that_is_no_word_is_left_to_the_router(status: Json) -> None:
    """The resource goes on, for the router to make a dead letter of it."""
    polled = answered(resource(status=status), WATCH)
    assert (polled.status, polled.ending, len(polled.resources)) == (None, None, 1)


@pytest.mark.parametrize(
    ("age", "pace"),
    [
        (timedelta(), 1.0),
        (HOUR, 1.0),
        (1.5 * HOUR, 1.5),
        (24 * HOUR, 24.0),
        (60 * HOUR, 60.0),
        (700 * HOUR, 60.0),
    ],
)
def test_a_watch_slows_down_with_its_age(age: timedelta, pace: float) -> None:
    """The pace is 1 in the first hour, then grows with the age, up to 60."""
    assert answered(resource(), WATCH, age).pace == pytest.approx(pace)


def test_a_watch_that_is_too_old_is_stalled() -> None:
    """Beyond watch_max_age a watch ends as stalled, with what it shows; confirmed is still done."""
    limit = settings().watch_max_age
    over = limit + timedelta(seconds=1)
    assert answered(resource(), WATCH, limit).ending is None
    stalled = answered(resource(), WATCH, over)
    assert (stalled.ending, len(stalled.resources)) == (Ending.STALLED, 1)
    assert answered(resource(status="other"), WATCH, over).ending == Ending.STALLED
    assert answered(resource(status="confirmed"), WATCH, over).ending == Ending.DONE


def test_a_token_is_the_user_name_with_an_empty_password() -> None:
    """An API token travels by HTTP Basic, as the user's name."""
    assert authorization() == "s3cret:"


def test_a_user_name_and_password_travel_as_such() -> None:
    """A user name and password travel by HTTP Basic, in UTF-8."""
    assert authorization(auth_token=None, username="adä", password="p:w") == "adä:p:w"


def test_a_token_is_never_in_a_url() -> None:
    """Nothing of the credentials is in the path, the query or the body."""
    request = next(start(VoucherryHandler(settings()), WATCH))
    assert (request.path, request.query, request.body) == ("/cherries_requests/7", {}, b"")


def test_bad_credentials_are_a_refusal() -> None:
    """A 401 is Refused."""
    cherries = Cherries()
    made = cherries.cause("create-request")
    cherries.handler = VoucherryHandler(settings(auth_token="wrong"))
    with pytest.raises(Refused):
        cherries.poll(cherries.handler.watch_resource(made, None))


@pytest.mark.parametrize(
    ("response", "detail"),
    [
        (Response.json(409, {"errors": ["too early", "too late"]}), "409: too early; too late$"),
        (Response.json(409, {"errors": "odd"}), "409$"),
        (Response(409, b"<html>"), "409$"),
        (Response(500), "HTTP 500"),
        (Response(302, headers={"location": "/"}), "HTTP 302"),
        (Response(429), "HTTP 429"),
        (Response(200, b""), "cannot be read"),
        (Response.json(200, [RESOURCE]), "cannot be read"),
        (resource(id=8), "has the id '8'"),
        (resource(id=None), "has the id None"),
        (resource(url=f"{BASE_URL}/cherries_requests/8"), "is not that of"),
        (resource(url=f"{BASE_URL}/cherries_transfers/7"), "is not that of"),
        (resource(url=f"{BASE_URL}/cherries_requests/7/confirm"), "is not that of"),
        (resource(url=7), "is not that of"),
    ],
)
def test_another_answer_fails_the_watch_alone(response: Response, detail: str) -> None:
    """Errors, and answers about another resource, fail this watch and say why."""
    with pytest.raises(WatchFailed, match=detail):
        answered(response, WATCH)


@pytest.mark.parametrize("url", [None, f"{BASE_URL}/cherries_requests/7.json"])
def test_the_url_may_be_missing_or_the_json_one(url: str | None) -> None:
    """An answer without a url, or with the ``.json`` one, is the resource's."""
    assert len(answered(resource(url=url), WATCH).resources) == 1


def test_a_call_without_an_answer_is_told_as_such() -> None:
    """A call that failed is left to the host."""
    conversation = start(VoucherryHandler(settings()), WATCH)
    next(conversation)
    with pytest.raises(CallFailed):
        conversation.throw(CallFailed("no answer in time"))


def test_a_watch_that_cannot_be_read_any_more_is_stalled_too() -> None:
    """It is not asked for ever; a day's grace lets a passing error hide no confirmation."""
    grace = settings().watch_max_age + timedelta(days=1)
    with pytest.raises(WatchFailed):
        answered(Response(500), WATCH, grace)
    over = grace + timedelta(seconds=1)
    assert answered(Response(500), WATCH, over).ending == Ending.STALLED
    assert answered(resource(status="confirmed"), WATCH, over).ending == Ending.DONE
    with pytest.raises(Refused):
        answered(Response(401), WATCH, over)
