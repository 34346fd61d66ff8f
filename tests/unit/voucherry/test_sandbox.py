"""The stand-in for Voucherry: as strict and as unkind as the documents say."""

from base64 import b64encode
from uuid import UUID

import pytest

from handlers.exchange import Request, Response
from handlers.jsontext import Json, JsonObject, compact, parse
from handlers.voucherry import provider
from handlers.voucherry.sandbox import VoucherrySandbox

from .host import BASE_URL, NOW, Cherries, observed

REQUESTS = "cherries_requests"
TRANSFERS = "cherries_transfers"


def basic(user: str, password: str = "") -> dict[str, str]:
    """Return the header of HTTP Basic credentials."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


TOKEN = basic("token-of-cherries")


def ask(
    cherries: Cherries, path: str, method: str = "GET", headers: dict[str, str] = TOKEN
) -> Response:
    """Return the sandbox's answer."""
    return cherries.sandbox.handle(Request(method, path, headers=headers), NOW)


def test_the_provider_makes_a_fresh_sandbox() -> None:
    """The provider's sandbox is this one, and sends nothing by itself."""
    sandbox = provider.sandbox()
    sandbox.subscribe("http://127.0.0.1:1")
    sandbox.answered("x", None, NOW)
    assert isinstance(sandbox, VoucherrySandbox)
    assert sandbox.due(NOW) == ()


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (TOKEN, {}, 200),
        (basic("cherries", "password-of-cherries"), {}, 200),
        ({}, {"auth_token": "token-of-cherries"}, 200),
        ({}, {}, 401),
        ({}, {"auth_token": "no"}, 401),
        (basic("token-of-cherries", "x"), {}, 401),
        (basic("cherries", "no"), {}, 401),
        ({"authorization": "Basic ???"}, {}, 401),
        ({"authorization": "Bearer token-of-cherries"}, {}, 401),
    ],
)
def test_a_user_is_known_in_three_ways(
    headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    """Basic as the user, Basic with the token, or the parameter auth_token; else 401."""
    cherries = Cherries()
    cherries.cause("create-request")
    request = Request("GET", f"/{REQUESTS}/1", query, headers)
    assert cherries.sandbox.handle(request, NOW).status == status


def test_the_token_may_be_a_parameter_of_the_body() -> None:
    """A POST may carry auth_token in its body, JSON or a form."""
    cherries = Cherries()
    as_form = {"auth_token": "token-of-cherries", "cherries_amount": "5"}
    as_json: Json = {"auth_token": "token-of-cherries", "cherries_amount": 5}
    for request in (
        Request.form(f"/{REQUESTS}", as_form),
        Request.json("POST", f"/{REQUESTS}", as_json),
    ):
        answer = cherries.sandbox.handle(request, NOW)
        assert (answer.status, answer.object()["cherries_amount"]) == (200, 5)


@pytest.mark.parametrize("collection", [REQUESTS, TRANSFERS])
@pytest.mark.parametrize("end", ["", ".json"])
def test_a_resource_is_created_and_read(collection: str, end: str) -> None:
    """POST answers with the resource that waits; GET shows the same, also under ``.json``."""
    cherries = Cherries()
    fields: Json = {"cherries_amount": 30, "invite_id": 4, "metadata": {"a": 1}}
    request = Request.json("POST", f"/{collection}{end}", fields, TOKEN)
    made = cherries.sandbox.handle(request, NOW).object()
    assert made == {
        "id": 1,
        "cherries_amount": 30,
        "status": "waiting_for_confirmation",
        "created_at": "2026-01-01T12:00:00Z",
        "invite_id": 4,
        "url": f"{BASE_URL}/{collection}/1",
        "metadata": {"a": 1},
    }
    assert ask(cherries, f"/{collection}/1{end}").object() == made


@pytest.mark.parametrize("amount", [None, 0, -1, "many", 1.5])
def test_a_wrong_amount_gets_409_with_errors(amount: float | str | None) -> None:
    """Creating without a positive whole amount answers 409 and says why."""
    body = compact({"cherries_amount": str(amount) if isinstance(amount, float) else amount})
    headers = TOKEN | {"content-type": "application/json"}
    answer = Cherries().sandbox.handle(
        Request("POST", f"/{REQUESTS}", headers=headers, body=body), NOW
    )
    assert answer.status == 409
    assert isinstance(answer.object()["errors"], list)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/{REQUESTS}/2"),
        ("GET", f"/{TRANSFERS}/1"),
        ("GET", f"/{REQUESTS}"),
        ("GET", f"/{REQUESTS}/x"),
        ("GET", f"/{REQUESTS}/1.xml"),
        ("GET", "/"),
        ("POST", f"/{REQUESTS}/1"),
        ("DELETE", f"/{REQUESTS}/1"),
    ],
)
def test_what_is_not_there_gets_404(method: str, path: str) -> None:
    """Unknown ids, paths and methods answer 404; there is no listing."""
    cherries = Cherries()
    cherries.cause("create-request")
    assert ask(cherries, path, method).status == 404


def test_a_user_sees_only_what_is_the_users_own() -> None:
    """Another user's request is unknown: 404."""
    cherries = Cherries()
    cherries.cause("create-request")
    cherries.sandbox.account("others", BASE_URL)
    assert ask(cherries, f"/{REQUESTS}/1", headers=basic("token-of-others")).status == 404


@pytest.mark.parametrize("end", ["", ".json"])
def test_confirm_moves_cherries_and_is_counted(end: str) -> None:
    """GET …/confirm confirms and moves cherries, once; every call is counted."""
    cherries = Cherries()
    cherries.cause("create-request", amount="50")
    path = f"/{REQUESTS}/1/confirm{end}"
    assert ask(cherries, path).object()["status"] == "confirmed"
    assert ask(cherries, path).status == 409
    assert (cherries.sandbox.confirmations, cherries.sandbox.cherries_moved) == (2, 50)


def test_a_confirmation_in_vain_is_counted_too() -> None:
    """Calls that confirm nothing are counted as well: nobody may make them."""
    cherries = Cherries()
    cherries.cause("create-transfer")
    ask(cherries, f"/{TRANSFERS}/1/confirm")
    ask(cherries, f"/{REQUESTS}/9/confirm", headers={})
    assert (cherries.sandbox.confirmations, cherries.sandbox.cherries_moved) == (2, 0)


def test_confirming_by_a_control_is_no_call() -> None:
    """The control stands for the payer: cherries move, and no call is counted."""
    cherries = Cherries()
    cherries.cause("create-request", amount="50")
    cherries.cause("confirm")
    assert (cherries.sandbox.confirmations, cherries.sandbox.cherries_moved) == (0, 50)


def test_a_control_finds_the_one_that_is_meant() -> None:
    """Without arguments the latest is meant; kind and id name another."""
    cherries = Cherries()
    cherries.cause("create-transfer", invite="9")
    cherries.cause("create-request")
    assert cherries.cause("confirm", kind=TRANSFERS, id="1")["invite_id"] == "9"
    assert cherries.cause("delete")["url"] == f"{BASE_URL}/{REQUESTS}/1"


@pytest.mark.parametrize(
    ("control", "arguments"),
    [
        ("confirm", {}),
        ("delete", {"kind": REQUESTS, "id": "9"}),
        ("set-status", {}),
        ("create-request", {"account": "nobody"}),
        ("create-request", {"amount": "0"}),
    ],
)
def test_a_control_says_what_it_cannot_do(control: str, arguments: dict[str, str]) -> None:
    """A control that cannot do what is asked raises ValueError."""
    with pytest.raises(ValueError, match=r"there is no|has no|missing|at least"):
        Cherries().cause(control, **arguments)


def test_what_was_answered_is_what_the_facts_say() -> None:
    """The sandbox's account of what it has shown equals the facts, status after status."""
    cherries = Cherries()
    seen: set[UUID] = set()

    def look(made: JsonObject) -> None:
        watch = cherries.handler.watch_resource(made, None)
        for resource in cherries.poll(watch).resources:
            observation = observed(parse(resource.body), resource.topic)
            reading = cherries.handler.interpret(observation).reading
            assert reading is not None
            seen.update(fact.id for fact in reading.facts)

    transfer = cherries.cause("create-transfer")
    assert cherries.sandbox.caused("cherries") == frozenset()
    look(transfer)
    cherries.cause("set-status", status="unseen")
    cherries.cause("confirm")
    look(transfer)
    request = cherries.cause("create-request")
    cherries.cause("set-status", status="on hold")
    look(request)
    assert len(seen) == 4
    assert cherries.sandbox.caused("cherries") == seen
    assert cherries.sandbox.caused("others") == frozenset()
