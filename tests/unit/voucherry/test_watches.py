"""Which watches can be registered, and that none can ever call ``/confirm``."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.exchange import WatchFailed
from handlers.jsontext import Json, JsonObject
from handlers.provider import Watch
from handlers.voucherry.handler import VoucherryHandler

from .host import BASE_URL, NOW, Cherries, settings, start

REQUESTS = "cherries_requests"
TRANSFERS = "cherries_transfers"
HANDLER = VoucherryHandler(settings())


@pytest.mark.parametrize("kind", [REQUESTS, TRANSFERS])
@pytest.mark.parametrize("id_", ["1", "aBc_-9"])
def test_a_resource_is_watched_by_its_collection_and_id(kind: str, id_: str) -> None:
    """A watch is registered by the name of the collection and the id."""
    assert HANDLER.watch(kind, id_) == Watch("cherries", kind, id_)


@pytest.mark.parametrize("kind", ["", "transfer", "cherries_requests/1", "Cherries_Requests"])
def test_an_unknown_collection_is_refused(kind: str) -> None:
    """Only the two collections can be watched."""
    with pytest.raises(ValueError, match="is none of"):
        HANDLER.watch(kind, "1")


@pytest.mark.parametrize(
    "id_",
    [
        "",
        " ",
        "1 ",
        "1\n",
        "1/confirm",
        "..",
        "1.json",
        "1%2Fconfirm",
        "1?x",
        "é",
        "\u0661",
        "confirm",
        "Confirm",
        "1" * 101,
    ],
)
def test_an_id_beyond_its_alphabet_is_refused(id_: str) -> None:
    """An id that could lead elsewhere is refused."""
    with pytest.raises(ValueError, match="is not an id"):
        HANDLER.watch(REQUESTS, id_)


@pytest.mark.parametrize("kind", [REQUESTS, TRANSFERS])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("end", ["", ".json"])
@pytest.mark.parametrize("base", [BASE_URL, "HTTP://127.0.0.1:8080/api/v1", "/api/v1"])
def test_a_resource_is_watched_by_its_own_url(kind: str, named: bool, end: str, base: str) -> None:
    """The url tells the collection: absolute or relative, plain or ``.json``."""
    resource: JsonObject = {"id": 5, "url": f"{base}/{kind}/5{end}"}
    assert HANDLER.watch_resource(resource, kind if named else None) == Watch("cherries", kind, "5")


def test_a_resource_without_a_url_needs_the_kind() -> None:
    """Where there is no url the kind must be given."""
    assert HANDLER.watch_resource({"id": "5"}, TRANSFERS) == Watch("cherries", TRANSFERS, "5")
    with pytest.raises(ValueError, match="give the kind"):
        HANDLER.watch_resource({"id": "5", "url": None}, None)


@pytest.mark.parametrize("id_", [None, True, "", [], 1.5])
def test_a_resource_without_an_id_is_refused(id_: Json) -> None:
    """Without an id there is nothing to watch."""
    with pytest.raises(ValueError, match="no usable id"):
        HANDLER.watch_resource({"id": id_, "url": f"{BASE_URL}/{REQUESTS}/5"}, REQUESTS)


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE_URL}/{REQUESTS}/5/confirm",
        f"{BASE_URL}/{REQUESTS}/5/confirm.json",
        f"{BASE_URL}/{REQUESTS}/6",
        f"{BASE_URL}/{REQUESTS}/5/",
        f"{BASE_URL}/{REQUESTS}/5?x=1",
        f"{BASE_URL}/{REQUESTS}/5#x",
        f"{BASE_URL}/{REQUESTS}/5\n",
        f"{BASE_URL}/{REQUESTS}/./5",
        f"{BASE_URL}/x/../{REQUESTS}/5",
        f"{BASE_URL}/{REQUESTS}/%35",
        f"{BASE_URL}/{REQUESTS}/5.xml",
        f"http://127.0.0.1:8081/api/v1/{REQUESTS}/5",
        f"https://127.0.0.1:8080/api/v1/{REQUESTS}/5",
        f"http://a@127.0.0.1:8080/api/v1/{REQUESTS}/5",
        f"http://127.0.0.1:8080@elsewhere.example/api/v1/{REQUESTS}/5",
        f"http://elsewhere.example/api/v1/{REQUESTS}/5",
        f"//elsewhere.example/api/v1/{REQUESTS}/5",
        f"http://127.0.0.1:8080/API/v1/{REQUESTS}/5",
        f"/{REQUESTS}/5",
        f"{REQUESTS}/5",
        f"/api/v1/{REQUESTS}/5/confirm",
        "",
        7,
        [f"{BASE_URL}/{REQUESTS}/5"],
    ],
)
@pytest.mark.parametrize("kind", [REQUESTS, None])
def test_a_url_that_is_not_exactly_the_resources_is_refused(url: Json, kind: str | None) -> None:
    """Another host, another id, an action, or a url with anything more is refused."""
    with pytest.raises(ValueError, match="not exactly"):
        HANDLER.watch_resource({"id": 5, "url": url}, kind)


def test_a_url_of_the_other_collection_is_refused() -> None:
    """A given kind and the url must agree."""
    with pytest.raises(ValueError, match="not exactly"):
        HANDLER.watch_resource({"id": 5, "url": f"{BASE_URL}/{REQUESTS}/5"}, TRANSFERS)


ACTION = st.sampled_from(["confirm", "/confirm", "5/confirm", "5/confirm.json", "%2Fconfirm", "."])
WORD = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True),
    st.builds("".join, st.lists(ACTION | st.text(max_size=3), max_size=4)),
)
KIND = st.sampled_from([REQUESTS, TRANSFERS]) | WORD
URL = (
    st.none()
    | WORD
    | st.builds("{}/{}/{}".format, st.sampled_from([BASE_URL, "/api/v1", ""]), KIND, WORD)
)
IS_A_RESOURCE = re.compile(
    r"/cherries_(requests|transfers)/(?!confirm\Z)[A-Za-z0-9_-]+\Z", re.IGNORECASE
)


def reads_only(handler: VoucherryHandler, watch: Watch) -> None:
    """Check all that a poll of ``watch`` asks for, if it asks at all."""
    request = next(start(handler, watch), None)
    assert request is not None
    assert (request.method, request.body, request.query) == ("GET", b"", {})
    assert IS_A_RESOURCE.match(request.path)
    assert "confirm" not in request.path.split("/")


@given(kind=KIND, id_=WORD)
@example(kind=REQUESTS, id_="confirm")
@example(kind=REQUESTS, id_="5/confirm")
def test_no_watch_by_id_ever_confirms(kind: str, id_: str) -> None:
    """Whatever kind and id are registered, only GETs of a resource are ever made."""
    try:
        watch = HANDLER.watch(kind, id_)
    except ValueError:
        return
    reads_only(HANDLER, watch)


@given(id_=st.integers() | WORD, url=URL, kind=st.none() | KIND)
@example(id_="confirm", url=f"{BASE_URL}/{REQUESTS}/confirm", kind=None)
@example(id_="5/confirm", url=f"{BASE_URL}/{REQUESTS}/5/confirm", kind=REQUESTS)
def test_no_watch_by_resource_ever_confirms(id_: Json, url: Json, kind: str | None) -> None:
    """Whatever resource is registered, only GETs of a resource are ever made."""
    try:
        watch = HANDLER.watch_resource({"id": id_, "url": url}, kind)
    except ValueError:
        return
    reads_only(HANDLER, watch)


@given(kind=KIND, id_=WORD)
@example(kind=REQUESTS, id_="confirm")
@example(kind=REQUESTS, id_="1/confirm")
@example(kind=f"{REQUESTS}/1", id_="confirm")
def test_no_watch_out_of_a_store_ever_confirms(kind: str, id_: str) -> None:
    """A watch that was never registered here, as a store might hold one, cannot confirm either."""
    cherries = Cherries()
    cherries.cause("create-request")
    conversation = start(cherries.handler, Watch("cherries", kind, id_))
    try:
        request = next(conversation)
    except WatchFailed:
        return
    assert IS_A_RESOURCE.match(request.path)
    cherries.sandbox.handle(request, NOW)
    assert (cherries.sandbox.confirmations, cherries.sandbox.cherries_moved) == (0, 0)
