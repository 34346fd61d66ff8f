"""SmartPay's webhooks as its API lists and changes them, in both versions."""

from datetime import timedelta
from typing import Any

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
from handlers.jsontext import JsonObject, parse_object
from handlers.registration import Action, Step, StepFailed, Subscription
from handlers.sandbox import Notification
from handlers.smartpay.registration import MOST_PAGES
from handlers.smartpay.sandbox import Strictness
from handlers.smartpay.topics import REGISTRATION, TOPICS
from tests.support.conversation import Answerer, converse, script
from tests.unit.smartpay.host import HOOK, Shop, handler
from tests.unit.smartpay.registering import OTHER, answering, carry_out, create, listed, step_on

VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])
ROW: JsonObject = {"webhook_id": 7, "topic": "invoice/paid", "url": HOOK}


def ok(content: Any) -> Response:
    """Return a good answer."""
    return Response.json(200, content)


def signed_in(version: str = "1-2") -> Shop:
    """Return a shop whose session has a token already."""
    shop = Shop(version)
    shop.session.token = "the-token"
    shop.session.expires_at = shop.now + timedelta(hours=1)
    return shop


def read_from(*answers: Any, version: str = "1-2") -> tuple[Subscription, ...]:
    """Read the subscriptions with a script of answers."""
    shop = signed_in(version)
    told = script(*[each if isinstance(each, Response) else ok(each) for each in answers])
    return converse(shop.handler.registration.read(shop.session), told)


def made_with(step: Step, *answers: Response | None, version: str = "1-2") -> str:
    """Carry a step out with a script of answers."""
    shop = signed_in(version)
    return converse(shop.handler.registration.carry_out(step, shop.session), script(*answers))


def counted(requests: list[Request], answers: Answerer) -> Answerer:
    """Keep each request before it is answered."""

    def answer(request: Request) -> Response | None:
        requests.append(request)
        return answers(request)

    return answer


def test_the_account_says_whether_and_how_often() -> None:
    """All five topics, managed if the account says so, looked at in its interval."""
    registration = handler(manage_webhooks=True, webhook_check_interval="7m").registration
    assert tuple(registration.topics) == TOPICS
    assert registration.managed
    assert registration.check_interval == timedelta(minutes=7)
    assert not handler().registration.managed


def test_only_version_2_can_be_asked_for_a_test() -> None:
    """1-2 has no such call: asking for it fails, and costs none."""
    assert handler(api_version="2-0").registration.can_test
    assert not handler().registration.can_test
    shop = Shop()
    with pytest.raises(StepFailed, match="no test notification"):
        carry_out(shop, Step(Action.TEST, TOPICS[0], HOOK, "webhook-1"))
    assert shop.asked == []


@VERSIONS
def test_a_webhook_lives_as_its_steps_say(version: str) -> None:
    """Created, moved and deleted; each step returns the id under which it is listed."""
    shop = Shop(version)
    id = carry_out(shop, create())  # noqa: A001 - the provider's word
    (made,) = listed(shop)
    assert made == Subscription(id, "invoice/paid", HOOK)
    assert carry_out(shop, step_on(Action.MODIFY, made, OTHER)) == id
    assert listed(shop) == (Subscription(id, "invoice/paid", OTHER),)
    assert carry_out(shop, step_on(Action.DELETE, made)) == id
    assert listed(shop) == ()
    assert shop.endpoints().count("authenticate") == 1


def test_the_calls_are_those_of_the_documents() -> None:
    """Endpoint and parameters in 1-2, method, path and JSON in 2-0."""
    step = Step(Action.MODIFY, "invoice/paid", HOOK, "7")
    for version, expected in (
        (
            "1-2",
            [
                ("POST", "/1-2/create_webhook", {"topic": "invoice/paid", "url": HOOK}),
                ("POST", "/1-2/modify_webhook", {"webhook_id": "7", "url": HOOK}),
                ("POST", "/1-2/delete_webhook", {"webhook_id": "7"}),
            ],
        ),
        (
            "2-0",
            [
                ("POST", "/2-0/webhooks", {"topic": "invoice/paid", "url": HOOK}),
                ("PATCH", "/2-0/webhooks/7", {"url": HOOK}),
                ("DELETE", "/2-0/webhooks/7", {}),
            ],
        ),
    ):
        asked: list[Request] = []
        for each in (create(), step, Step(Action.DELETE, step.topic, step.url, step.id)):
            shop = signed_in(version)
            told = counted(asked, script(ok({"result": {"webhook_id": 7}})))
            assert converse(shop.handler.registration.carry_out(each, shop.session), told) == "7"
        sent = [
            {k: v for k, v in request.parameters().items() if k != "token"} for request in asked
        ]
        assert [(r.method, r.path, p) for r, p in zip(asked, sent, strict=True)] == expected
        for request in asked:
            shown = request.parameters().get("token") or request.headers["authorization"]
            assert shown in {"the-token", "Bearer the-token"}


def test_the_test_action_sends_a_dummy() -> None:
    """A notification arrives that only speaks of test data, and no listing has it."""
    shop = Shop("2-0")
    carry_out(shop, create())
    (made,) = listed(shop)
    assert carry_out(shop, step_on(Action.TEST, made)) == made.id
    assert shop.asked[-1].method == "PUT"
    assert shop.asked[-1].path == f"/2-0/webhooks/{made.id}/actions/test"
    (sent,) = shop.deliver()
    reading = shop.read(sent).reading
    assert reading is not None
    assert reading.resource.test


@VERSIONS
@pytest.mark.parametrize("action", [Action.CREATE, Action.MODIFY])
@pytest.mark.parametrize("status", [None, 202, 401, 500])
def test_a_url_that_does_not_answer_200_fails_the_step(
    version: str, action: Action, status: int | None
) -> None:
    """SmartPay's words are told, the call is made once, and nothing has changed."""
    shop = Shop(version)
    carry_out(shop, create())
    before, calls = listed(shop), len(shop.asked)
    step = create("order/created") if action is Action.CREATE else step_on(action, before[0], OTHER)
    with pytest.raises(StepFailed, match="1009: The URL did not answer 200 OK"):
        carry_out(shop, step, status)
    assert len(shop.asked) == calls + 1
    assert listed(shop) == before


@VERSIONS
def test_a_topic_that_is_taken_fails_the_step(version: str) -> None:
    """Each topic can be subscribed once: the second is refused, and not tried again."""
    shop = Shop(version)
    carry_out(shop, create(url=OTHER))
    calls = len(shop.asked)
    with pytest.raises(StepFailed, match="subscribed already"):
        carry_out(shop, create())
    assert len(shop.asked) == calls + 1


@VERSIONS
def test_deleting_what_is_gone_is_done(version: str) -> None:
    """It was to be gone. Moving or testing what is gone fails the step."""
    shop = Shop(version)
    gone = Subscription("webhook-9", "invoice/paid", HOOK)
    assert carry_out(shop, step_on(Action.DELETE, gone)) == "webhook-9"
    with pytest.raises(StepFailed, match="No such webhook"):
        carry_out(shop, step_on(Action.MODIFY, gone, OTHER))


def test_no_content_is_a_good_answer_to_a_change_alone() -> None:
    """REST answers a deletion with 204; a listing without content would be no listing."""
    step = Step(Action.DELETE, "invoice/paid", HOOK, "7")
    assert made_with(step, Response(204), version="2-0") == "7"
    with pytest.raises(AccountFailed):
        read_from(Response(204), version="2-0")


def test_a_creation_that_names_no_id_is_not_made_again() -> None:
    """It is most likely done: the next look at the listing tells."""
    asked: list[Request] = []
    shop = signed_in()
    told = counted(asked, script(ok({"result": {"status": "success"}})))
    with pytest.raises(StepFailed, match="under which id"):
        converse(shop.handler.registration.carry_out(create(), shop.session), told)
    assert len(asked) == 1


@VERSIONS
@pytest.mark.parametrize("action", list(Action))
def test_a_lost_answer_is_not_asked_for_again(version: str, action: Action) -> None:
    """Nobody knows whether it was done, so nothing more is asked in this conversation."""
    if version == "1-2" and action is Action.TEST:
        return
    shop = signed_in(version)
    asked: list[Request] = []
    step = Step(action, "invoice/paid", HOOK, "7")
    with pytest.raises(CallFailed):
        converse(
            shop.handler.registration.carry_out(step, shop.session), counted(asked, script(None))
        )
    assert len(asked) == 1


@VERSIONS
def test_a_rejected_token_is_answered_with_one_more_try(version: str) -> None:
    """Nothing was done with the old token, so doing it with a new one does it once."""
    shop = Shop(version)
    listed(shop)
    shop.cause("expire-token")
    called: list[Notification] = []
    step = shop.handler.registration.carry_out(create(), shop.session)
    converse(step, answering(shop, seen=called.append))
    assert len(called) == 1
    assert [each.topic for each in listed(shop)] == ["invoice/paid"]


@pytest.mark.parametrize(
    "answer",
    [
        Response.json(200, {"errors": {"1003": "Too many calls"}}),
        Response.json(429, {"errors": {"1003": "Slow down"}}),
        Response(429),
        Response(500, b"<html>"),
        Response(302),
        Response.json(503, {"errors": ["the topic is taken"]}),
        Response(200, b"<html>"),
    ],
)
def test_throttling_and_trouble_are_the_account_s(answer: Response) -> None:
    """What is not about this step rests the whole account."""
    with pytest.raises(AccountFailed) as failed:
        made_with(create(), answer)
    assert not isinstance(failed.value, Refused)


@pytest.mark.parametrize("text", ["1001: Invalid key", "This account is disabled"])
def test_a_wrong_key_is_refused(text: str) -> None:
    """It is no matter of this step."""
    with pytest.raises(Refused):
        made_with(create(), ok({"errors": [text]}))


def test_a_url_in_an_error_is_not_taken_for_its_words() -> None:
    """An account called monkey-token is neither disabled nor signed out by its own name."""
    url = "https://pay.example.com/webhooks/monkey-token-disabled"
    with pytest.raises(StepFailed, match="monkey-token"):
        made_with(create(url=url), ok({"errors": {"9": f"{url} did not answer 200 OK"}}))


@pytest.mark.parametrize("text", ["This webhook is disabled", "6: Webhook 7 was disabled."])
def test_a_webhook_that_is_disabled_is_not_the_account(text: str) -> None:
    """It fails the step; taken for the account it would end all calls."""
    with pytest.raises(StepFailed):
        made_with(create(), ok({"errors": [text]}))
    with pytest.raises(Refused):
        made_with(create(), ok({"errors": [text, "The account is disabled"]}))


@VERSIONS
def test_no_message_holds_a_secret(version: str) -> None:
    """Neither keys nor token, whatever SmartPay repeats."""
    secrets = ["s3cr3t-of-ours", "1frame-of-ours", "the-t0ken"]
    account = handler(api_key=secrets[0], iframe_key=secrets[1], api_version=version)
    shop = signed_in(version)
    shop.session.token = secrets[2]
    # Version 1-2 never sends the iframe key.
    echo = " ".join(secrets if version == "2-0" else (secrets[0], secrets[2]))
    told = script(Response.json(422, {"errors": [f"no such topic {echo}"]}))
    with pytest.raises(StepFailed, match="no such topic") as failed:
        converse(account.registration.carry_out(create(), shop.session), told)
    assert not [secret for secret in secrets if secret in str(failed.value)]


@pytest.mark.parametrize("id", [None, "", ".", ".."])
def test_an_id_that_is_none_is_never_asked_for(id: str | None) -> None:  # noqa: A002
    """It would be another path, and another call."""
    for action in (Action.MODIFY, Action.DELETE, Action.TEST):
        with pytest.raises(StepFailed, match="no id"):
            made_with(Step(action, "invoice/paid", HOOK, id), version="2-0")


@pytest.mark.parametrize("id", ["a/b", "../orders", "7?x=1", "7#", "7/actions/test", "%2e%2e", "ü"])
def test_an_id_stays_one_part_of_the_path(id: str) -> None:  # noqa: A002
    """Whatever SmartPay calls its webhooks, nothing else is addressed."""
    asked: list[Request] = []
    shop = signed_in("2-0")
    step = Step(Action.DELETE, "invoice/paid", HOOK, id)
    told = counted(asked, script(Response(204)))
    converse(shop.handler.registration.carry_out(step, shop.session), told)
    assert asked[0].path.startswith("/2-0/webhooks/")
    last = asked[0].path.removeprefix("/2-0/webhooks/")
    assert not set(last) & set("/?#")
    assert last.isascii()
    assert last not in {".", ".."}


def test_all_pages_are_read_and_a_row_counts_once() -> None:
    """Rows move between pages while they are read: the last sight of one counts."""
    moved = {**ROW, "url": OTHER}
    other = {"webhook_id": "8", "topic": "order/created", "url": HOOK}
    pages: list[Any] = [
        {"page": 1, "total_pages": 2, "result": [ROW]},
        {"page": 2, "total_pages": 2, "result": [moved, other]},
    ]
    assert read_from(*pages) == (
        Subscription("7", "invoice/paid", OTHER),
        Subscription("8", "order/created", HOOK),
    )


@pytest.mark.parametrize(
    "rows",
    [
        [ROW],
        ROW,
        {"0": ROW},
        [[{"webhook_id": "7"}, {"topic": "invoice/paid"}, {"url": HOOK}], ROW],
        [{"webhook": ROW}],
    ],
)
def test_rows_come_in_any_documented_shape(rows: Any) -> None:
    """And an id is the same as a number and as text."""
    assert read_from({"result": rows}) == (Subscription("7", "invoice/paid", HOOK),)


@pytest.mark.parametrize("empty", [[], None, {}])
def test_no_webhooks_is_an_answer(empty: Any) -> None:
    """An empty listing is empty."""
    assert read_from({"result": empty}) == ()


@pytest.mark.parametrize(
    "spoiled",
    [
        *[{"webhook_id": None}, {"webhook_id": ""}, {"webhook_id": []}, {"webhook_id": True}],
        *[{"topic": None}, {"topic": ""}, {"topic": 5}, {"url": 5}, {"url": []}],
    ],
)
def test_a_row_that_cannot_be_read_fails_the_look(spoiled: JsonObject) -> None:
    """A plan made of half the truth could take, or make, what it should not."""
    with pytest.raises(WatchFailed, match="without a readable"):
        read_from({"result": [{**ROW, "webhook_id": 8}, {**ROW, **spoiled}]})


def test_a_webhook_that_leads_nowhere_is_somebody_s() -> None:
    """No URL is not ours."""
    assert read_from({"result": [{**ROW, "url": None}]})[0].url == ""


def test_a_listing_without_end_fails_the_look() -> None:
    """There are five topics: what goes on for pages is not understood."""
    page = {"page": 1, "total_pages": 99, "result": [ROW]}
    with pytest.raises(WatchFailed, match="pages"):
        read_from(*[page] * MOST_PAGES)


@VERSIONS
def test_the_end_of_a_version_is_warned_of(version: str) -> None:
    """Beside listings and beside steps, for the host to report."""
    shop = Shop(version)
    shop.cause("retire-version", version=version)
    carry_out(shop, create())
    assert shop.session.warnings == {f"2001: Version {version} is about to retire"}


def test_what_is_called_back_is_signed_by_the_account() -> None:
    """webhook/created comes before the answer, and verifies."""
    shop = Shop()
    called: list[Notification] = []
    step = shop.handler.registration.carry_out(create(), shop.session)
    converse(step, answering(shop, seen=called.append))
    (sent,) = called
    assert shop.handler.verify(sent.headers, sent.body, shop.now)[0] == REGISTRATION
    assert parse_object(sent.body) == {"data": {"topic": "invoice/paid", "url": HOOK}}


def test_a_failure_is_of_the_known_kinds() -> None:
    """StepFailed rests the one watch, not the account."""
    assert issubclass(StepFailed, WatchFailed)
    assert issubclass(StepFailed, ProviderFailure)
    assert not issubclass(StepFailed, AccountFailed)


def test_paging_is_asked_for_page_by_page() -> None:
    """Against the sandbox too: five webhooks on three pages."""
    shop = Shop(strictness=Strictness(page_size=2))
    shop.sandbox.subscribe(HOOK)
    assert [each.topic for each in listed(shop)] == list(TOPICS)
    assert shop.endpoints() == ["authenticate", "webhooks", "webhooks", "webhooks"]
