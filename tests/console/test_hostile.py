"""What providers and senders write is shown as it is written, and nothing of it is done."""

import pytest
from playwright.async_api import Error, Page, expect

from receiver.care.known import Asked, Care
from receiver.dead_letters.finding import Listing
from receiver.dead_letters.letter import DeadLetter
from receiver.observability.report import Part, Report, State
from tests.console.conftest import OpenPage
from tests.console.stage import Stage, of_reason, refused, shop, with_problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = (
    "<img src=x onerror=\"window.harmed='img'\">",
    "</script><script>window.harmed='script'</script>",
    "<style>body{display:none}</style><iframe src=javascript:parent.harmed=1></iframe>",
    "' onmouseover='window.harmed=1' \"><svg onload=window.harmed=1> $(touch harmed)",
)


async def harm(page: Page) -> object:
    """Return what hostile text has done to the page, nothing if it is well."""
    return await page.evaluate(
        "[window.harmed, ...document.querySelectorAll('main :is(img, script, style, iframe, svg)')]"
        ".filter(Boolean).length"
    )


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_as_text(stage: Stage, show: OpenPage, text: str) -> None:
    """In alarms, parts, accounts, reasons and letters; no element comes of it, and no script."""
    stage.have(shop())
    stage.alarms.sound("shop", "webhook-unregistered", why=f"why {text}", remedy=f"do {text}")
    stage.report = Report(True, {"receive": Part(State.DEGRADED, f"part {text}")})
    stage.source.care = {"shop": Care(with_problem(f"step {text}"), refused((503, f"row {text}")))}
    stage.source.polling = {"shop": Asked(1, 60, 60.0, stopped=f"stop {text}")}
    letter = DeadLetter(text, text, "webhook", text, text, f"detail {text}", 1, text, text, "0/1")
    stage.letters.listing = Listing([letter], 0, [of_reason(text, 1)])
    page = await show()
    await page.locator("summary").filter(has_text="shop").click()
    await page.get_by_text("The latest 1 of 1").click()
    for where in ("why", "do", "part", "step", "stop", "detail"):
        await expect(page.get_by_text(f"{where} {text}").first).to_be_visible()
    await expect(page.locator(".reasons")).to_contain_text(f"row {text}")
    assert await harm(page) == 0


async def test_the_policy_holds_where_the_page_would_not(
    show: OpenPage, complaints: list[str]
) -> None:
    """Chromium refuses to make text into markup, script or a handler, and tells of it."""
    page = await show()
    for code in (
        "document.body.innerHTML = '<b>harm</b>'",
        "document.createElement('script').text = 'window.harmed=1'",
        "document.body.setAttribute('onclick', 'window.harmed=1')",
    ):
        with pytest.raises(Error, match="requires 'Trusted"):
            await page.evaluate(f"() => {{ {code} }}")
    assert await harm(page) == 0
    assert len(complaints) == 3
    complaints.clear()


async def test_a_command_quotes_what_a_shell_would_do(stage: Stage, show: OpenPage) -> None:
    """Whoever copies a command runs what it shows, whatever a record names."""
    stage.letters.listing = Listing([], 1, [of_reason("$(touch harmed)'; x", 1)])
    page = await show()
    shown = r"payevents dead-letters list --reason '$(touch harmed)'\''; x'"
    await expect(page.locator(".command").first).to_have_text(shown)
