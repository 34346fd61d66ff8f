"""The picture of the console in the documents: ``python -m tests.console.picture FILE.png``.

It is of the real service between the sandboxes and the embedded broker, with some trouble: forged
webhooks at one shop, a provider that is away, and bodies that nobody can read.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright, expect
from pydantic import SecretStr

from config.account import AccountSettings
from config.kafka import KafkaSettings
from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from receiver.accounts.providers import installed_providers
from receiver.demo.broker import EmbeddedBroker, EmbeddedClients
from receiver.kafka.options import clients_for
from receiver.kafka.topics import create_topics, wanted_topics
from receiver.sandbox.host import SandboxHost
from receiver.service import Service
from tests.console.conftest import FLAGS, sign_in
from tests.kafka.ports import free_ports
from tests.support.webhooks import invoice, post

FORGED = 7
WITHIN = 60_000
SIZE = (1180, 1480)
TOKEN = "the admin token"
PROVIDERS = {"shop": "smartpay", "outlet": "smartpay", "members": "subscriply"}


def settings(broker: EmbeddedBroker, hosts: Mapping[str, SandboxHost], folder: Path) -> Settings:
    """Return the configuration: the sandboxes' accounts, and one whose provider is not there."""
    port, nobody = free_ports(2)
    accounts: dict[str, AccountSettings] = {
        name: host.sandbox.account(name, host.base_url) for name, host in hosts.items()
    }
    for name in ("shop", "outlet"):
        accounts[name] = accounts[name].model_copy(update={"manage_webhooks": True})
    accounts["friends"] = installed_providers()["subscriply"].settings.model_validate(
        {
            "name": "friends",
            "email": "friend@example.com",
            "password": "p",
            "currency": "USD",
            "base_url": f"http://127.0.0.1:{nobody}",
            "poll_interval": "1s",
        }
    )
    return Settings(
        http=HttpSettings(host="127.0.0.1", port=port, public_url=f"http://127.0.0.1:{port}"),
        admin=AdminSettings(port=0, token=SecretStr(TOKEN)),
        kafka=KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers, partitions=4, replication_factor=1
        ),
        spool=SpoolSettings(directory=folder),
        accounts=accounts,
    )


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[str, str, Mapping[str, SandboxHost]]]:
    """Run everything; give the URLs of webhooks and of the console, and the sandboxes."""
    providers = installed_providers()
    async with AsyncExitStack() as opened:
        broker = await opened.enter_async_context(EmbeddedBroker(folder))
        hosts = {name: SandboxHost(providers[of].sandbox()) for name, of in PROVIDERS.items()}
        for host in hosts.values():
            await opened.enter_async_context(host)
        # Two accounts may not share a key.
        await hosts["outlet"].control("rotate-key")
        made = settings(broker, hosts, folder)
        clients = clients_for(made.kafka)
        service = Service(
            made, providers, clients=EmbeddedClients(clients.options, clients.timeouts)
        )
        await create_topics(service.clients, wanted_topics(made))
        ports = await service.start()
        opened.push_async_callback(service.stop)
        webhooks = f"http://127.0.0.1:{ports.public}/webhooks"
        yield webhooks, f"http://127.0.0.1:{ports.admin}/", hosts


async def trouble(page: Page, webhooks: str, hosts: Mapping[str, SandboxHost]) -> None:
    """Cause what there is to be seen, once all topics are proven."""
    for name in ("shop", "outlet"):
        row = page.locator("summary").filter(has_text=name)
        await expect(row).to_contain_text("5 of 5 proven", timeout=WITHIN)
        made = await hosts[name].control("create-invoice", amount="49.90")
        assert isinstance(made, dict)
        await hosts[name].control("pay", invoice=str(made["invoice_id"]))
    await hosts["members"].control("add-subscription")
    await page.locator("summary").filter(has_text="outlet").click()
    # What fails before a webhook tells something new counts no more.
    paid = page.locator(".topic").filter(has_text="invoice/paid")
    await expect(paid).not_to_contain_text("never", timeout=WITHIN)
    for number in range(FORGED):
        forged = invoice(f"forged-{number}", "invoice/paid", date_paid="2026-01-01 12:00:00")
        await post(f"{webhooks}/outlet", forged, key="a stranger's")
    await hosts["shop"].control("unreadable")


async def taken(page: Page) -> bytes:
    """Return the picture, once all trouble is seen."""
    outlet = page.locator("summary").filter(has_text="outlet")
    await expect(outlet).to_contain_text(f"at least {FORGED} of 20", timeout=WITHIN)
    await expect(page.locator("#alarms li")).to_have_count(2, timeout=WITHIN)
    await page.get_by_role("button", name="Read them again").click()
    await expect(page.locator("#letters .card")).to_have_count(1, timeout=WITHIN)
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    return await page.screenshot()


async def picture() -> bytes:
    """Return the picture as PNG."""
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serving(Path(folder)) as (webhooks, url, hosts),
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = await browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            await page.goto(url)
            await sign_in(page, TOKEN)
            await trouble(page, webhooks, hosts)
            shot = await taken(page)
            await browser.close()
            return shot


def small(png: bytes) -> bytes:
    """Return the same picture in fewer colours: nobody sees the difference."""
    written = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(small(asyncio.run(picture())))
