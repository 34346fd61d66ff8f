"""Rows that are nearly the same: each is shown, however often the page renews itself."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.console.conftest import OpenPage
from tests.console.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

SINCE = "2026-01-01T00:00:00Z"


async def tell(page: Page, stage: Stage, more: Mapping[str, Any]) -> None:
    """Have the page told ``more``, twice: rows are found again by the second time."""

    async def told(route: Route) -> None:
        status: dict[str, Any] = await stage.status.as_json()
        await route.fulfill(json={**status, **more})

    await page.route("**/v1/status", told)
    for _ in range(2):
        async with page.expect_response("**/v1/status"):
            await page.clock.fast_forward(5_000)


def alarm(worker: int, *, since: str = SINCE, remedy: str = "mend it") -> dict[str, Any]:
    """Return what one worker tells of an alarm."""
    told = {"account": "shop", "code": "webhook-silent", "urgency": "page", "why": "missed"}
    return {**told, "since": since, "what_to_do": remedy, "worker": worker}


async def test_a_partition_that_two_workers_have_is_shown_twice(
    stage: Stage, show: OpenPage
) -> None:
    """As during a rebalance: one still has it, the other already restores it."""
    page = await show()
    shard = {"role": "route", "partition": 3, "state": "running", "lag": 0, "problem": ""}
    restoring = {**shard, "worker": 1, "state": "restoring", "lag": None}
    await tell(page, stage, {"shards": [{**shard, "worker": 0}, restoring]})
    await page.get_by_text("All 2 shards").click()
    rows = page.locator("details .shards li")
    await expect(rows).to_have_text([re.compile("worker 0"), re.compile("worker 1")])


async def test_alarms_with_another_remedy_are_others(stage: Stage, show: OpenPage) -> None:
    """A card for each thing to do, though code, account and reason are the same."""
    page = await show()
    await tell(page, stage, {"alarms": [alarm(0), alarm(1, remedy="ask the provider")]})
    cards = page.locator("#alarms li")
    await expect(cards).to_have_text([re.compile("mend it"), re.compile("ask the provider")])


async def test_rows_of_the_same_key_are_all_shown(stage: Stage, show: OpenPage) -> None:
    """Whatever is told twice is shown twice rather than once."""
    page = await show()
    shard = {"role": "route", "partition": 3, "state": "running", "lag": 0, "problem": ""}
    await tell(page, stage, {"shards": [shard, shard, shard]})
    await page.get_by_text("All 3 shards").click()
    await expect(page.locator("details .shards li")).to_have_count(3)


async def test_an_alarm_of_two_workers_counts_once(stage: Stage, show: OpenPage) -> None:
    """In the title as on the page, since whichever of them noticed it first."""
    page = await show()
    earlier = "2025-12-31T00:00:00Z"
    await tell(page, stage, {"alarms": [alarm(0), alarm(1, since=earlier)]})
    await expect(page.locator("#alarms li")).to_have_count(1)
    await expect(page.locator("#alarms time")).to_have_attribute("datetime", earlier)
    await expect(page).to_have_title("(1) payevents")
