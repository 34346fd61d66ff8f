from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from handlers.exchange import AccountFailed, Refused, Request, Response
from handlers.fact import Claim
from handlers.jsontext import JsonObject
from handlers.provider import LookedUp
from handlers.smartpay.sandbox.access import API_KEY, IFRAME_KEY
from handlers.smartpay.windows import SHORTEST, Window
from tests.unit.smartpay.host import NOW, Answer, Shop, converse, script

VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])
CLAIM = Claim("invoice", "paid", "invoice_id", "i1")
TOKEN: JsonObject = {"result": {"token": "the-token", "expires_on": "2026-01-01 13:00:00"}}


def heard(*answers: Any, version: str = "1-2") -> LookedUp:
    """Look one claim up with a script of answers."""
    shop = Shop(version)
    return converse(shop.handler.look_up([CLAIM], shop.session), script(*answers))


def test_version_1_posts_forms_with_the_token_inside() -> None:
    """Every call is a POST of a form; the key and the token are in no path and no query."""
    shop = Shop()
    shop.look_up(CLAIM)
    sign_in, listing = shop.asked
    assert (sign_in.method, sign_in.path) == ("POST", "/1-2/authenticate")
    assert sign_in.parameters() == {"api_key": API_KEY}
    assert (listing.method, listing.path) == ("POST", "/1-2/get_invoices")
    assert listing.parameters() == {"invoice_id": "i1", "page": "1", "token": "sandbox-token-1"}
    assert not sign_in.query
    assert not listing.query


def test_version_2_signs_in_with_basic_and_reads_with_bearer() -> None:
    """The iframe key and the API key are user and password; then the token is a bearer token."""
    shop = Shop("2-0")
    shop.look_up(CLAIM)
    sign_in, listing = shop.asked
    pair = b64encode(f"{IFRAME_KEY}:{API_KEY}".encode()).decode()
    assert (sign_in.method, sign_in.path) == ("GET", "/2-0/authenticate")
    assert sign_in.headers == {"authorization": f"Basic {pair}"}
    assert (listing.method, listing.path) == ("GET", "/2-0/invoices")
    assert listing.query == {"invoice_id": "i1", "page": "1"}
    assert listing.headers == {"authorization": "Bearer sandbox-token-1"}


@VERSIONS
def test_the_token_is_kept_for_its_hour(version: str) -> None:
    """Nobody signs in again while the token lives, and everybody does shortly before it ends."""
    shop = Shop(version)
    shop.look_up(CLAIM)
    shop.wait(minutes=57)
    shop.look_up(CLAIM)
    assert shop.endpoints().count("authenticate") == 1
    shop.wait(minutes=2)
    shop.look_up(CLAIM)
    assert shop.endpoints().count("authenticate") == 2


@VERSIONS
def test_a_token_that_expires_early_is_renewed_once(version: str) -> None:
    """A rejected token is answered with one sign-in and one repetition."""
    shop = Shop(version)
    shop.look_up(CLAIM)
    shop.cause("expire-token")
    shop.look_up(CLAIM)
    assert shop.endpoints() == ["authenticate", "invoices", "invoices", "authenticate", "invoices"]


def test_a_token_that_is_rejected_again_fails_the_account() -> None:
    """Going on after errors gets an account disabled: there is no third try."""
    rejected = Response.json(401, {"errors": {"9": "no"}})
    with pytest.raises(AccountFailed) as failed:
        heard(TOKEN, rejected, TOKEN, rejected)
    assert not isinstance(failed.value, Refused)


def test_another_conversation_may_have_renewed_the_token() -> None:
    """A rejection of the old token does not throw away the new one."""
    shop = Shop()
    shop.look_up(CLAIM)
    conversation = shop.handler.look_up([CLAIM], shop.session)
    listing = next(conversation)
    shop.cause("expire-token")
    rejected = shop.ask(listing)
    shop.look_up(CLAIM)
    renewed = shop.session.token
    again = conversation.send(rejected)
    assert again.path.endswith("get_invoices")
    assert again.parameters()["token"] == renewed


@pytest.mark.parametrize(
    "expires_on", ["2026-01-01 11:00:00", "2027-01-01 12:00:00", "", "soon", 5]
)
def test_a_strange_expiry_means_the_documented_hour(expires_on: Any) -> None:
    """Clocks differ: a token that seems dead at birth is not fetched anew for every call."""
    shop = Shop()
    answers = script({"result": {"token": "t", "expires_on": expires_on}}, {"result": []})
    converse(shop.handler.look_up([CLAIM], shop.session), answers)
    assert shop.session.expires_at == shop.now + timedelta(minutes=58)


@pytest.mark.parametrize(
    ("expires_in", "minutes"), [(1800, 28), ("600", 8), (10**9, 58), (None, 58), ("1h", 58)]
)
def test_version_2_states_seconds(expires_in: Any, minutes: int) -> None:
    """``expires_in`` counts where it makes sense, with a margin."""
    shop = Shop("2-0")
    token = {"result": {"access_token": "t", "expires_in": expires_in, "token_type": "bearer"}}
    converse(shop.handler.look_up([CLAIM], shop.session), script(token, {"result": []}))
    assert shop.session.expires_at == shop.now + timedelta(minutes=minutes)


@VERSIONS
def test_a_wrong_key_is_refused(version: str) -> None:
    """The documented error 1001 means that every further call could do harm."""
    shop = Shop(version)
    stranger = type(shop.handler)(
        shop.settings.model_copy(update={"api_key": type(shop.settings.api_key)("wrong-key")})
    )
    with pytest.raises(Refused, match="1001: Invalid key") as refused:
        converse(stranger.look_up([CLAIM], shop.session), shop.ask)
    assert "wrong-key" not in str(refused.value)
    assert shop.endpoints() == ["authenticate"]


@VERSIONS
def test_a_disabled_account_is_refused(version: str) -> None:
    """Also in the middle of an hour, with a token that was good."""
    shop = Shop(version)
    shop.look_up(CLAIM)
    shop.cause("disable-account")
    with pytest.raises(Refused, match="disabled"):
        shop.look_up(CLAIM)
    assert shop.endpoints() == ["authenticate", "invoices", "invoices"]


@pytest.mark.parametrize("text", ["1001: Invalid key", "account disabled"])
def test_a_refusal_is_not_taken_for_an_expired_token(text: str) -> None:
    """A 401 that names the key or the account is final: signing in again would be one call more."""
    with pytest.raises(Refused):
        heard(TOKEN, Response.json(401, {"errors": [text]}))


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": {"1003": "Too many calls"}},
        {"errors": [{"1003": "Too many calls"}]},
        {"errors": ["Too many calls"]},
        {"errors": "Too many calls"},
        {"errors": {"7": "Something else"}, "result": []},
        Response(429),
        Response(500, b"<html>"),
        Response(302),
        Response(200, b"<html>"),
        Response(200, b"[]"),
        {"result": ["row"]},
        {"result": "none"},
        {"result": [], "total_pages": "many"} | {"result": [{"invoice_id": "x"}]},
    ],
)
def test_any_other_error_fails_the_account(answer: Any) -> None:
    """Errors, throttling, and what is no listing: back off, but do not give up on the key."""
    with pytest.raises(AccountFailed) as failed:
        heard(TOKEN, answer)
    assert not isinstance(failed.value, Refused)


@pytest.mark.parametrize("answer", [{}, {"result": []}, {"result": {"token": ""}}, {"result": 5}])
@VERSIONS
def test_a_sign_in_without_a_token_fails_the_account(answer: Any, version: str) -> None:
    """Success without a token is not success."""
    with pytest.raises(AccountFailed):
        heard(answer, version=version)


@pytest.mark.parametrize(
    "rows",
    [
        [{"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00"}],
        {"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00"},
        [{"invoice_id": "i1"}, {"date_paid": "2018-01-01 12:00:00"}],
        [[{"invoice_id": "i1"}, {"date_paid": "2018-01-01 12:00:00"}], [{"invoice_id": "i2"}]],
        {"0": {"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00"}, "1": {"invoice_id": "i2"}},
        [{"invoice": {"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00"}}],
    ],
)
def test_rows_come_in_any_documented_shape(rows: Any) -> None:
    """A result is a list, an object, or pairs; sign-ins too."""
    pairs = {"result": [{"token": "t"}, {"expires_on": "2026-01-01 13:00:00"}]}
    found = heard(pairs, {"page": "1", "total_pages": "1", "result": rows, "errors": []})
    assert not found.refuted


def test_warnings_are_kept_for_the_host() -> None:
    """A warning beside a result, such as the end of a version, is reported, without secrets."""
    shop = Shop()
    warning: JsonObject = {"warnings": {"2001": f"Version 1-2 retires soon, {API_KEY}"}}
    answers = script({**TOKEN, **warning}, {"result": [], **warning})
    converse(shop.handler.look_up([CLAIM], shop.session), answers)
    assert shop.session.warnings == {"2001: Version 1-2 retires soon, ***"}


def test_no_message_holds_a_token() -> None:
    """What SmartPay repeats of our secrets stays out of the failure."""
    with pytest.raises(AccountFailed) as failed:
        heard(TOKEN | {"result": {"token": "s3cr3t"}}, {"errors": {"5": "s3cr3t did wrong"}})
    assert "s3cr3t" not in str(failed.value)


def silent_about_pages(rows: int, asked: list[int], *, is_paged: bool = True) -> Answer:
    """Return an answerer whose listing says nothing of its pages; ``asked`` are those it showed."""

    def listing(request: Request) -> Response:
        if request.path.endswith("authenticate"):
            return Response.json(200, TOKEN)
        page = int(request.parameters()["page"])
        asked.append(page)
        shown = range(rows)[100 * page - 100 : 100 * page] if is_paged else range(rows)
        return Response.json(200, {"result": [{"invoice_id": f"i{number}"} for number in shown]})

    return listing


@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_a_full_page_is_not_taken_for_the_last(rows: int, pages: int) -> None:
    """Where nobody says how many pages there are, one that is not full is the last."""
    shop, asked = Shop(), list[int]()
    window = Window("invoices", NOW - SHORTEST, NOW).watch("shop")
    talk = shop.handler.poll(window, timedelta(), shop.session)
    polled = converse(talk, silent_about_pages(rows, asked))
    assert len(polled.resources) == rows
    assert asked == [*range(1, pages + 1)]
    assert polled.pace != 0.0


def test_a_long_window_whose_first_page_is_full_is_cut() -> None:
    """What lies beyond the page is found in the parts."""
    shop, asked = Shop(), list[int]()
    window = Window("invoices", NOW - timedelta(days=1), NOW).watch("shop")
    talk = shop.handler.poll(window, timedelta(), shop.session)
    polled = converse(talk, silent_about_pages(100, asked))
    assert (len(polled.discovered), asked) == (3, [1])


def test_a_listing_without_pages_has_an_end() -> None:
    """Every page shows all there is: the second one is the last, and adds nothing."""
    shop, asked = Shop(), list[int]()
    window = Window("invoices", NOW - SHORTEST, NOW).watch("shop")
    talk = shop.handler.poll(window, timedelta(), shop.session)
    polled = converse(talk, silent_about_pages(150, asked, is_paged=False))
    assert (len(polled.resources), asked) == (150, [1, 2])
    assert polled.pace != 0.0
