"""The page before a real service while Kafka is away, and when the service goes too."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.async_api import Page, Route, expect

from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.kafka.clients import Clients
from receiver.service import Ports, Service
from tests.console.conftest import OpenPage
from tests.console.stage import Stage
from tests.support.webhooks import invoice, post

pytestmark = pytest.mark.asyncio(loop_scope="session")

GONE = re.compile("The service does not answer")


@asynccontextmanager
async def serving(folder: Path, admin_port: int = 0) -> AsyncIterator[Ports]:
    """Run a whole service that has nobody to speak to: its Kafka is not there."""
    shop = SmartPaySettings.model_validate({"name": "shop", "api_key": "k"})
    settings = Settings(
        http=HttpSettings(host="127.0.0.1", port=0),
        admin=AdminSettings(port=admin_port),
        spool=SpoolSettings(directory=folder),
        accounts={"shop": shop},
    )
    clients = Clients({"bootstrap_servers": "127.0.0.1:1"})
    service = Service(settings, {"smartpay": provider}, clients=clients)
    try:
        yield await service.start()
    finally:
        await service.stop()


async def until_gone(page: Page) -> None:
    """Let time pass until the page says that nobody answers."""
    await page.clock.fast_forward(5_000)
    await expect(page.get_by_role("alert").filter(has_text=GONE)).to_be_visible()


async def test_a_real_service_without_kafka_is_shown(tmp_path: Path, open_page: OpenPage) -> None:
    """What is in the spool, why the parts are not well, and that letters cannot be read."""
    async with serving(tmp_path) as ports:
        url = f"http://127.0.0.1:{ports.public}/webhooks/shop"
        assert await post(url, invoice("aBc123"), key="k") == 200
        page = await open_page(f"http://127.0.0.1:{ports.admin}/")
        await expect(page.locator("#overall")).to_have_text("ready, degraded")
        await expect(page.locator("#machine")).to_contain_text("1 webhook")
        spool = page.locator("#parts li").filter(has_text="spool")
        await expect(spool.first).to_contain_text("kept in the spool")
        await expect(page.locator("summary").filter(has_text="shop")).to_contain_text("not here")
        await expect(page.locator("#letters")).to_contain_text("They cannot be read")


async def test_a_service_that_is_gone_is_said_loudly(tmp_path: Path, open_page: OpenPage) -> None:
    """A banner, the title, and how old all is that is still seen; it goes when it is back."""
    async with serving(tmp_path) as ports:
        page = await open_page(f"http://127.0.0.1:{ports.admin}/")
        await expect(page.locator("#overall")).to_have_text("ready, degraded")
    await until_gone(page)
    await page.clock.fast_forward(60_000)
    await expect(page.locator("#gone")).to_contain_text(
        re.compile(r"What you see is 1 min \d+ s old, of \d\d:\d\d:\d\d")
    )
    await expect(page.locator("#overall")).to_have_text("no answer")
    await expect(page).to_have_title("✖ no answer: payevents")
    await expect(page.locator("summary").filter(has_text="shop")).to_be_visible()
    async with serving(tmp_path, ports.admin):
        await page.clock.fast_forward(2_000)
        await expect(page.locator("#overall")).to_have_text("ready, degraded")
        await expect(page.get_by_text(GONE)).to_be_hidden()
        await expect(page).to_have_title("payevents")


async def never(_: Route) -> None:
    """Answer nothing."""


async def not_ours(route: Route) -> None:
    """Answer as some proxy does."""
    await route.fulfill(status=502, body="<h1>Bad Gateway</h1>")


async def broken(route: Route) -> None:
    """Answer as the service does when it fails."""
    told = {"error": {"code": "internal-error", "message": "see the log"}}
    await route.fulfill(status=500, json=told)


async def foreign(route: Route) -> None:
    """Answer as something else does that speaks JSON, or as another version."""
    await route.fulfill(status=200, json={})


Answering: TypeAlias = Callable[[Route], object]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (never, "does not answer (not within 10 seconds)"),
        (not_ours, "does not answer"),
        (broken, "refuses (500): see the log"),
        (foreign, "does not answer (what answered is not payevents"),
    ],
)
async def test_an_answer_that_is_none_is_said_too(
    show: OpenPage, answers: Answering, told: str
) -> None:
    """A service that hangs, a proxy that answers in its place, and one that fails."""
    page = await show()
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    async with page.expect_request("**/v1/status"):
        await page.route("**/v1/status", answers)
        await page.clock.fast_forward(5_000)
    await page.clock.fast_forward(10_000)
    alert = page.get_by_role("alert")
    await expect(alert.filter(has_text=told)).to_be_visible()
    await page.unroute("**/v1/status")
    await page.clock.fast_forward(15_000)
    await expect(alert).to_have_text("")


async def test_the_age_of_what_is_seen_is_told(show: OpenPage) -> None:
    """It grows by the second between two renewals."""
    page = await show()
    await expect(page.locator("#freshness")).to_have_text("as of 0 s ago")
    await page.route("**/v1/status", never)
    await page.clock.fast_forward(4_000)
    # The page's clock goes on by itself meanwhile.
    await expect(page.locator("#freshness")).to_have_text(re.compile(r"as of [4-9] s ago"))


_NOTE_WHAT_IS_READ_OUT = """() => {
  window.readOut = [];
  const noted = new MutationObserver(() => window.readOut.push(document.body.innerText));
  for (const live of document.querySelectorAll("[role=alert], [role=status], [aria-live]")) {
    noted.observe(live, { childList: true, characterData: true, subtree: true });
  }
}"""


async def test_what_ticks_is_not_read_out(stage: Stage, show: OpenPage) -> None:
    """A screen reader says once that nobody answers, and not every second how old all is."""
    page = await show()
    await stage.stop()
    await until_gone(page)
    await page.evaluate(_NOTE_WHAT_IS_READ_OUT)
    await page.clock.fast_forward(65_000)
    await expect(page.locator("#gone")).to_contain_text("What you see is 1 min")
    assert await page.evaluate("window.readOut") == []
