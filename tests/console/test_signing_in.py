"""The token: asked for once, kept in the tab alone, and said to be wrong when it is."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.conftest import OpenPage, sign_in
from tests.console.stage import TOKEN, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_health_is_shown_before_the_token_is_known(stage: Stage, open_page: OpenPage) -> None:
    """Whether it is well anyone may know; all else waits for the token."""
    stage.alarms.sound("", "kafka-away", why="it is", remedy="bring it back")
    page = await open_page(await stage.start())
    await expect(page.get_by_label("Admin token")).to_be_visible()
    await expect(page.locator("#overall")).to_have_text("ready")
    await expect(page.get_by_role("heading", name="Readiness")).to_be_visible()
    await expect(page.get_by_role("heading", name="What is wrong")).to_be_hidden()


async def test_a_wrong_token_is_said_to_be_wrong(stage: Stage, open_page: OpenPage) -> None:
    """And forgotten; the right one, in whatever letters, is taken then."""
    page = await open_page(await stage.start())
    await sign_in(page, "the-wrong-one")
    await expect(page.get_by_role("alert").filter(has_text="it is wrong")).to_be_visible()
    assert await page.evaluate("sessionStorage.length") == 0
    await sign_in(page, TOKEN)
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    await expect(page.get_by_label("Admin token")).to_be_hidden()
    await expect(page.get_by_text("it is wrong")).to_be_hidden()


async def test_the_token_is_in_the_tab_alone(stage: Stage, open_page: OpenPage) -> None:
    """A reload knows it; no address, cookie or lasting storage holds it, and no other tab."""
    url = await stage.start()
    page = await open_page(url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await sign_in(page, TOKEN)
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    assert page.url == url
    assert not [each for each in asked if "token" in each]
    assert await page.evaluate("localStorage.length + document.cookie.length") == 0
    other = await page.context.new_page()
    await other.goto(url)
    await expect(other.get_by_label("Admin token")).to_be_visible()


async def test_the_token_can_be_forgotten(stage: Stage, open_page: OpenPage) -> None:
    """Whoever leaves the desk leaves nothing on it."""
    page = await open_page(await stage.start())
    await sign_in(page, TOKEN)
    await page.get_by_role("button", name="Forget the token").click()
    await expect(page.get_by_label("Admin token")).to_be_visible()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_without_a_token_nobody_is_asked_for_one(tmp_path: Path, open_page: OpenPage) -> None:
    """On the machine itself, with no ``admin.token``, the console is simply there."""
    stage = Stage(tmp_path, token=None)
    try:
        page = await open_page(await stage.start())
        await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        await expect(page.get_by_label("Admin token")).to_be_hidden()
    finally:
        await stage.stop()


async def test_under_a_foreign_name_the_refusal_is_said(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """Without a token only this machine's name is answered: the page says why it shows nothing."""
    stage = Stage(tmp_path, token=None)
    try:
        url = await stage.start()
        page = await open_page(url.replace("127.0.0.1", "payevents.test"))
        refusal = "without admin.token only localhost may be asked for"
        await expect(page.get_by_role("alert").filter(has_text=refusal)).to_be_visible()
    finally:
        await stage.stop()
