"""The console behind a reverse proxy: under a path of its own, and where it signs people in."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, hdrs, web
from playwright.async_api import Browser, expect

from receiver.http.server import Server
from tests.console.conftest import OpenPage, sign_in
from tests.console.stage import TOKEN, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

BASE = "/some/path/"
USER, PASSWORD = "operator", "a password"
PROVES = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
PASSED_BACK = {"Content-Type", "Content-Security-Policy", "Location"}


@asynccontextmanager
async def proxied(url: str, *, signs_in: bool) -> AsyncIterator[str]:
    """Serve ``url`` below another path; who signs in there needs no token."""

    async def pass_on(request: web.Request) -> web.Response:
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if signs_in:
            if given != PROVES:
                asked = {hdrs.WWW_AUTHENTICATE: 'Basic realm="payevents"'}
                return web.Response(status=401, headers=asked)
            given = f"Bearer {TOKEN}"
        headers: dict[str, str] = {hdrs.AUTHORIZATION: given} if given else {}
        target = f"{url}{request.path_qs.removeprefix(BASE)}"
        async with client.get(target, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
        headers = {name: answer.headers[name] for name in answer.headers if name in PASSED_BACK}
        return web.Response(status=answer.status, headers=headers, body=body)

    application = web.Application()
    application.router.add_get(f"{BASE}{{_:.*}}", pass_on)
    server = Server(application, "127.0.0.1", 0)
    async with ClientSession() as client:
        try:
            yield f"http://127.0.0.1:{await server.start()}{BASE}"
        finally:
            await server.stop()


@pytest.mark.parametrize("guessed", ["", "console", "console/"])
async def test_it_works_under_a_path_of_its_own(
    stage: Stage, open_page: OpenPage, guessed: str
) -> None:
    """Everything that the page asks for is below it, with the token that is typed in."""
    async with proxied(await stage.start(), signs_in=False) as url:
        page = await open_page(f"{url}{guessed}")
        assert page.url == url
        await sign_in(page, TOKEN)
        await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        await expect(page.locator("#letters")).to_contain_text("There are none.")


async def test_whoever_signed_in_at_the_proxy_needs_no_token(
    stage: Stage, browser: Browser
) -> None:
    """The browser proves to the proxy who asks, as for the page; the proxy has the token."""
    async with proxied(await stage.start(), signs_in=True) as url:
        context = await browser.new_context(
            http_credentials={"username": USER, "password": PASSWORD}
        )
        page = await context.new_page()
        await page.goto(url)
        await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        await expect(page.get_by_label("Admin token")).to_be_hidden()
        await context.close()
