"""Usable by keyboard, on a phone, in the dark, and with a thousand accounts."""

import pytest
from playwright.async_api import Page, expect

from handlers.clock import utc_now
from receiver.care.known import Care
from receiver.dead_letters.finding import Listing
from receiver.observability.report import Part, Report, State
from receiver.roles import Role
from tests.console.conftest import OpenPage
from tests.console.stage import TOKEN, WELL, Stage, cherries, of_reason, proven, refused, shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY = 1_000
LONG = "x" * 300


def crowd(stage: Stage, count: int) -> None:
    """Have so many accounts, of which every hundredth has trouble."""
    names = [f"shop-{number:04}" for number in range(count)]
    stage.have(*map(shop, names))
    known = Care(proven(), windows_read_at=utc_now().timestamp())
    stage.source.care = dict.fromkeys(names, known)
    stage.source.polling = dict.fromkeys(names, WELL)
    for name in names[50::100]:
        stage.alarms.sound(name, "webhook-silent", why="missed", remedy="create it anew")


async def test_everything_can_be_done_by_keyboard(stage: Stage, open_page: OpenPage) -> None:
    """Sign in, filter, open an account: by Tab, Enter and letters, with the focus to be seen."""
    crowd(stage, 3)
    page = await open_page(await stage.start())
    await expect(page.get_by_label("Admin token")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Admin token")).to_be_focused()
    await page.keyboard.type(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    await expect(page.get_by_role("heading", name="What is wrong")).to_be_focused()
    for reached in ("Filter", "only with trouble"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_label(reached)).to_be_focused()
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.type("0002")
    await expect(page.locator(".accounts > li")).to_have_count(1)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".full")).to_contain_text("Last reconciliation")
    await page.clock.fast_forward(5_000)
    await page.keyboard.press("Enter")
    await expect(page.locator(".full")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 768])
async def test_a_narrow_window_is_never_scrolled_sideways(
    stage: Stage, show: OpenPage, width: int
) -> None:
    """Whatever is opened, and however long the words of others are."""
    crowd(stage, 2)
    reasons = refused((503, LONG), (401, "no signature"))
    stage.source.care["shop-0001"] = Care(proven(), reasons)
    stage.alarms.sound("shop-0001", "webhook-failures", why=LONG, remedy=LONG)
    stage.report = Report(True, {LONG: Part(State.DEGRADED, LONG)})
    stage.letters.listing = Listing([], 1, [of_reason(LONG, 1)])
    stage.shard(Role.ROUTE, 0, lag=123_456_789)
    page = await show(width=width)
    for summary in await page.locator("summary").all():
        await summary.click()
    await expect(page.locator(".full")).to_have_count(2)
    await expect(page.locator("#letters .card")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_a_narrow_row_has_only_what_there_is(stage: Stage, show: OpenPage) -> None:
    """No dashes for the webhooks of an account that has none; its name stands beside its state."""
    stage.have(cherries())
    stage.source.polling = {"cherries": WELL}
    page = await show(width=390)
    row = page.locator("summary").filter(has_text="cherries")
    await expect(row.get_by_text("failure budget")).to_be_hidden()
    await expect(row.get_by_text("25 of 60 in 1h")).to_be_visible()
    badge = await row.locator(".badge").bounding_box()
    name = await row.locator(".name").bounding_box()
    assert badge is not None
    assert name is not None
    assert badge["y"] < name["y"] + name["height"]
    assert badge["x"] + badge["width"] < name["x"] < 390 / 2 + badge["x"]


async def test_a_thousand_accounts_can_be_used(stage: Stage, show: OpenPage) -> None:
    """Those with trouble come first; few rows are made, more on demand, and any is soon found."""
    crowd(stage, MANY)
    page = await show()
    rows = page.locator(".accounts > li")
    await expect(rows).to_have_count(50)
    await expect(page.locator("#found")).to_have_text("1,000 accounts, 10 with trouble")
    await expect(rows.nth(0)).to_contain_text("shop-0050")
    await expect(rows.nth(9)).to_contain_text("shop-0950")
    await expect(rows.nth(10)).to_contain_text("shop-0000")
    assert await page.evaluate("document.querySelectorAll('*').length") < 4_000
    await page.get_by_role("button", name="Show 50 more of 950").click()
    await expect(rows).to_have_count(100)
    await page.get_by_label("Filter").fill("SHOP-0777")
    await expect(rows).to_have_count(1)
    await expect(page.locator("#found")).to_have_text("1 of 1,000 accounts")
    await page.get_by_label("Filter").fill("webhook-silent smartpay")
    await expect(rows).to_have_count(10)
    await page.get_by_label("Filter").fill("")
    await page.get_by_label("only with trouble").check()
    await expect(rows).to_have_count(10)


async def test_many_alarms_are_shown_by_and_by(stage: Stage, show: OpenPage) -> None:
    """The first few, which matter most; the rest when asked for."""
    crowd(stage, MANY * 2)
    page = await show()
    await expect(page.locator("#alarms li")).to_have_count(8)
    await page.get_by_role("button", name="Show 12 more alarms").click()
    await expect(page.locator("#alarms li")).to_have_count(20)


_CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92
      : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    const alpha = channels(colour)[3] ?? 1;
    return alpha === 0 && node.parentElement ? paper(node.parentElement) : colour;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(paper(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${texts.currentNode.data}`);
  }
  for (const input of document.querySelectorAll("input[placeholder]")) {
    const told = getComputedStyle(input, "::placeholder").color;
    const [one, other] = [light(told), light(paper(input))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${input.placeholder}`);
  }
  return found;
}"""


async def unreadable(page: Page) -> list[str]:
    """Return the texts whose contrast is less than WCAG 2 asks for (AA, 4.5)."""
    found: list[str] = await page.evaluate(_CONTRASTS)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_can_be_read(stage: Stage, show: OpenPage, scheme: str) -> None:
    """By day and in the dark, with everything opened that there is, and when nobody answers."""
    crowd(stage, 60)
    reasons = refused((503, "not durable"), (401, "no signature"))
    stage.source.care["shop-0050"] = Care(proven(), reasons)
    stage.report = Report(
        True,
        {
            "receive": Part(State.OK),
            "route": Part(State.DEGRADED, "it is slow"),
            "kafka": Part(State.FAILED, "it is away"),
        },
    )
    stage.letters.listing = Listing([], 1, [of_reason("no-id", 1)])
    stage.shard(Role.ROUTE, 0)
    page = await show(scheme=scheme)
    await page.locator("summary").filter(has_text="shop-0050").click()
    await expect(page.locator("#letters .card")).to_have_count(1)
    assert await unreadable(page) == []
    await stage.stop()
    await page.clock.fast_forward(5_000)
    await expect(page.get_by_role("alert").first).to_be_visible()
    assert await unreadable(page) == []
