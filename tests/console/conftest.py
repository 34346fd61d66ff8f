"""A Chromium for all tests of the console, and a page of its own for each."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.console.stage import TOKEN, Stage

FLAGS = (
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP payevents.test 127.0.0.1",
)
INSTALL = "apt-get install -y chromium"
_NOT_OURS = re.compile("^Failed to load resource: ")
"""What Chromium writes of an answer that is an error: the page deals with it."""

OpenPage: TypeAlias = Callable[..., Awaitable[Page]]


# Nothing takes as long, but on a machine that others keep busy.
expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Return the browser; playwright gives it an empty profile."""
    chromium = shutil.which("chromium")
    assert chromium is not None, f"Chromium is missing: {INSTALL}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Return the admin listener's stage; it is not served yet."""
    made = Stage(tmp_path)
    yield made
    await made.stop()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """Return what pages complain of, a violation of their policy too: it fails the test."""
    made: list[str] = []
    yield made
    assert made == []


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, complaints: list[str]) -> AsyncIterator[OpenPage]:
    """Return what opens a page in a context of its own."""
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _NOT_OURS.match(message.text):
            complaints.append(message.text)

    async def opened(url: str, *, width: int = 1280, scheme: str = "light") -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="en-GB",
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # Timers are the tests': nothing waits for the next renewal.
        await page.clock.install()
        await page.goto(url)
        return page

    yield opened
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def show(stage: Stage, open_page: OpenPage) -> OpenPage:
    """Return what serves the stage and shows it to somebody who knows the token."""

    async def shown(*, width: int = 1280, scheme: str = "light") -> Page:
        page = await open_page(await stage.start(), width=width, scheme=scheme)
        await sign_in(page, TOKEN)
        await page.get_by_role("heading", name="Accounts").wait_for()
        return page

    return shown


async def sign_in(page: Page, token: str) -> None:
    """Type a token in, as an operator does."""
    await page.get_by_label("Admin token").fill(token)
    await page.get_by_label("Admin token").press("Enter")
