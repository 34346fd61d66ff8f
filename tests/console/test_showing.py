"""What an operator reads: what is wrong, what to do, and how everything is."""

import re
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, Route, expect

from handlers.clock import utc_now
from handlers.smartpay.topics import TOPICS
from receiver.care.known import Asked, Care
from receiver.dead_letters.finding import Listing
from receiver.dead_letters.letter import DeadLetter
from receiver.observability.report import Part, Report, State
from receiver.registration.signs import Missed
from receiver.registration.vitals import TopicVitals, Vitals
from receiver.roles import Role
from tests.console.conftest import OpenPage
from tests.console.stage import (
    DAY,
    PAID,
    WELL,
    Stage,
    cherries,
    of_reason,
    proven,
    refused,
    shop,
    with_problem,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def opened(page: Page, account: str) -> None:
    """Open an account's row."""
    await page.locator("summary").filter(has_text=account).click()


async def test_alarms_come_with_what_to_do(stage: Stage, show: OpenPage) -> None:
    """What concerns all comes before one account's, and what can wait comes last."""
    stage.alarms.sound("cherries", "provider-away", why="503", remedy="nothing")
    stage.alarms.sound("shop", "webhook-silent", why="missed", remedy="create it anew")
    stage.alarms.sound("", "kafka-away", why="no broker answers", remedy="bring Kafka back")
    page = await show()
    cards = page.locator("#alarms li")
    await expect(cards).to_have_count(3)
    first, second, third = (cards.nth(index) for index in range(3))
    await expect(first).to_contain_text("What to do: bring Kafka back")
    await expect(first).to_contain_text("no broker answers")
    await expect(second).to_contain_text(re.compile("webhook-silent.*shop.*now.*create it anew"))
    await expect(third).to_contain_text(re.compile("provider-away.*cherries.*soon"))
    await expect(page).to_have_title("(3) payevents")


async def test_each_part_of_readiness_says_why(stage: Stage, show: OpenPage) -> None:
    """The worst first; without an alarm it is said that not all is well."""
    stage.report = Report(
        False,
        {
            "kafka": Part(State.OK),
            "topics": Part(State.DEGRADED, "one is missing"),
            "route": Part(State.FAILED, "it has not joined"),
        },
    )
    page = await show()
    await expect(page.locator("#overall")).to_have_text("not ready")
    parts = page.locator("#parts li")
    await expect(parts.nth(0)).to_have_text(re.compile("route.*failed.*it has not joined"))
    await expect(parts.nth(1)).to_have_text(re.compile("topics.*degraded.*one is missing"))
    await expect(parts.nth(2)).to_have_text(re.compile("kafka.*ok"))
    await expect(page.locator("#alarms")).to_contain_text("2 parts are not well")


async def test_a_failure_budget_says_how_many_and_why(stage: Stage, show: OpenPage) -> None:
    """At least 7 of 20, each reason with what is behind it, and the latest requests."""
    stage.have(shop())
    reasons = [*[(503, "not durable")] * 4, *[(200, "")] * 2, (401, "no signature")]
    stage.source.care = {"shop": Care(proven(), refused(*reasons), windows_read_at=None)}
    stage.source.polling = {"shop": WELL}
    page = await show()
    row = page.locator("summary").filter(has_text="shop")
    await expect(row).to_contain_text("at least 7 of 20")
    await opened(page, "shop")
    topic = page.locator(".topic").filter(has_text=PAID)
    await expect(topic).to_contain_text("at least 7 of 20 undeliverable")
    await expect(topic).to_contain_text("7 since a webhook last told something new")
    await expect(topic).to_contain_text("At 20 the provider switches the webhook off")
    await expect(topic).to_contain_text(re.compile("4 times: 503, not durable.*look at Kafka"))
    await expect(topic).to_contain_text(re.compile("2 times: 200 too late.*answer_within"))
    await expect(topic).to_contain_text(re.compile("1 time: 401, no signature.*a wrong key"))
    await expect(topic).to_contain_text("request-6, request-5, request-4")
    await expect(page.locator(".topic")).to_have_count(len(TOPICS))
    await expect(page.locator(".topic").first).to_contain_text(PAID)


async def test_suspicion_and_reconciliation_are_told(stage: Stage, show: OpenPage) -> None:
    """Which topic is, how many facts no webhook announced, and when was last looked."""
    now = utc_now().timestamp()
    stage.have(shop())
    missed = tuple(
        Missed(f"fact-{number}", PAID, "invoice/1", now - 2 * 3600, now - 3600)
        for number in range(3)
    )
    vitals = Vitals(topics={PAID: TopicVitals(missed=missed)})
    stage.source.care = {"shop": Care(proven(), vitals, windows_read_at=now - 300)}
    stage.source.polling = {"shop": WELL}
    page = await show()
    await expect(page.locator("summary").filter(has_text="shop")).to_contain_text("suspected")
    await opened(page, "shop")
    topic = page.locator(".topic").filter(has_text=PAID)
    await expect(topic).to_contain_text("probably switched off")
    await expect(topic).to_contain_text("3 facts were found that no webhook announced")
    await expect(page.locator(".full")).to_contain_text(
        re.compile("Last reconciliation.*5 min ago")
    )


async def test_how_a_provider_is_asked_is_told(stage: Stage, show: OpenPage) -> None:
    """Of each provider alike; and of an account that another process polls, just that."""
    now = utc_now().timestamp()
    stage.have(cherries(), cherries("resting"), cherries("elsewhere"))
    resting = Asked(60, 60, 3600.0, now - DAY, failures=3, rests_until=now + 120)
    stage.source.polling = {"cherries": WELL, "resting": resting}
    page = await show()
    row = page.locator("summary").filter(has_text="cherries")
    await expect(row).to_contain_text(re.compile("well.*voucherry.*25 of 60 in 1h"))
    await opened(page, "resting")
    await expect(page.locator(".full")).to_contain_text("after 3 failures in a row; asked again in")
    await expect(page.locator(".full")).to_contain_text("payevents doctor --account resting")
    await opened(page, "elsewhere")
    await expect(page.get_by_text("Another process polls this account")).to_be_visible()


async def test_what_stopped_an_account_is_told(stage: Stage, show: OpenPage) -> None:
    """Calls that stopped for good, and a step that failed, in the provider's words."""
    stage.have(shop())
    stage.source.care = {"shop": Care(with_problem("422 the url did not answer"))}
    stage.source.polling = {"shop": Asked(1, 60, 60.0, stopped="Invalid key")}
    page = await show()
    await opened(page, "shop")
    await expect(page.get_by_text("Calls have stopped: Invalid key")).to_be_visible()
    await expect(page.get_by_text("failed: 422 the url did not answer")).to_be_visible()


async def test_the_spool_and_the_shards_are_told(stage: Stage, show: OpenPage) -> None:
    """How much waits on disk, what each shard's lag is, and which is not restored yet."""
    stage.spool.count, stage.spool.bytes = 12_345, 3 << 20
    for partition in range(3):
        stage.shard(Role.ROUTE, partition, lag=5)
    stage.shard(Role.POLL, 0, lag=None)
    page = await show()
    machine = page.locator("#machine")
    await expect(machine).to_contain_text("12,345 webhooks")
    await expect(machine).to_contain_text("3 MiB of 1 GiB")
    await expect(machine).to_contain_text(re.compile("Router.*3 of 3 running.*15 records wait"))
    await expect(machine).to_contain_text(re.compile("Poller.*0 of 1 running"))
    await expect(machine).to_contain_text("what waits for those not restored is not known yet")
    await machine.get_by_text("All 3 shards").click()
    await expect(machine).to_contain_text("restored, 5 records wait")


async def test_several_workers_are_told_apart(stage: Stage, show: OpenPage) -> None:
    """What all of them say is said once; what is amiss at one of them is said of that one."""
    stage.alarms.sound("", "kafka-away", why="no broker answers", remedy="bring Kafka back")
    stage.shard(Role.ROUTE, 0)
    page = await show()
    told = {
        "worker-0": {"state": "ok", "why": ""},
        "worker-1": {"state": "degraded", "why": "not well: spool"},
    }
    of_one = {"ready": True, "state": "degraded", "parts": {"spool": told["worker-1"]}}
    numbers = {"pid": 7, "restarts": 2, "started_at": None}

    async def merged(route: Route) -> None:
        status: dict[str, Any] = await stage.status.as_json()
        [alarm], [shard] = status["alarms"], status["shards"]
        health = {"ready": True, "state": "degraded", "parts": told, "workers": {"1": of_one}}
        workers = [
            {"worker": 0, "state": "serving", "why": "", **numbers},
            {"worker": 1, "state": "waiting", "why": "it ended with 1", **numbers},
        ]
        more = {
            "alarms": [{**alarm, "worker": 0}, {**alarm, "worker": 1}],
            "shards": [{**shard, "worker": 1}],
        }
        await route.fulfill(json={**status, **more, "health": health, "workers": workers})

    await page.route("**/v1/status", merged)
    await page.clock.fast_forward(5_000)
    await expect(page.locator("#alarms li")).to_have_count(1)
    await expect(page.locator("#alarms li")).to_contain_text("workers 0, 1")
    await expect(page.locator("#parts")).to_contain_text(re.compile("worker 1.*spool.*not well"))
    await expect(page.locator("#machine")).to_contain_text(
        re.compile("worker 1.*waiting.*2 restarts.*it ended with 1")
    )
    await page.get_by_text("All 1 shard").click()
    await expect(page.locator("#machine")).to_contain_text("restored, nothing waits, worker 1")


async def test_a_worker_that_tells_nothing_is_not_taken_for_well(
    stage: Stage, show: OpenPage
) -> None:
    """Its alarms and accounts are missing in what the others tell."""
    page = await show()
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()

    async def merged(route: Route) -> None:
        status: dict[str, Any] = await stage.status.as_json()
        worker = {"worker": 1, "state": "serving", "why": "", "pid": 7, "restarts": 0}
        await route.fulfill(json={**status, "workers": [{**worker, "started_at": None}]})

    await page.route("**/v1/status", merged)
    await page.clock.fast_forward(5_000)
    await expect(page.locator("#alarms")).to_contain_text("Worker 1 tells nothing")


async def test_dead_letters_come_with_the_commands(stage: Stage, show: OpenPage) -> None:
    """By reason, with what to do and what to type; the latest one by one."""
    letter = DeadLetter(
        id="a988c602",
        account="shop",
        origin="webhook",
        topic=PAID,
        reason="no-id",
        detail="the body names no invoice",
        count=2,
        first_at="2026-01-01T00:00:00Z",
        last_at="2026-01-01T00:00:00Z",
        inbox_position="0/1",
    )
    stage.letters.listing = Listing([letter], 3, [of_reason("no-id", 3), of_reason("expired", 1)])
    page = await show()
    first = page.locator("#letters .card").first
    await expect(first).to_contain_text(re.compile("no-id.*3 letters.*show it to the provider"))
    for command in ("list --reason no-id", "redrive --reason no-id --dry-run"):
        await expect(first).to_contain_text(f"payevents dead-letters {command}")
    await page.get_by_text("The latest 1 of 4").click()
    shown = page.locator(".letters li")
    await expect(shown).to_contain_text("the body names no invoice")
    await expect(shown).to_contain_text("payevents dead-letters show a988c602")


async def test_it_renews_itself(stage: Stage, show: OpenPage) -> None:
    """What changes is shown within seconds, and what was opened stays open and selected."""
    stage.have(shop())
    stage.source.care = {"shop": Care(proven())}
    stage.source.polling = {"shop": WELL}
    page = await show()
    await opened(page, "shop")
    await expect(page.locator("summary").filter(has_text="shop")).to_be_focused()
    topic = page.locator(".topic").filter(has_text=PAID)
    await expect(topic).to_contain_text("at least 0 of 20")
    known = replace(proven(), unreachable="nobody answers")
    stage.source.care = {"shop": Care(known, refused((503, "not durable")))}
    stage.alarms.sound("shop", "public-url-unreachable", why="it is", remedy="mend the way")
    await page.clock.fast_forward(5_000)
    await expect(page.get_by_text("What to do: mend the way")).to_be_visible()
    await expect(topic).to_contain_text("at least 1 of 20")
    await expect(page.get_by_text("Our own URL cannot be reached: nobody answers")).to_be_visible()
    await expect(page.locator("summary").filter(has_text="shop")).to_be_focused()
