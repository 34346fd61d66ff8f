"""The files of the console as they are served; tests/console has what they do in a browser."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from receiver.console import pages
from receiver.console.pages import Console
from receiver.registration.condition import State
from tests.unit.docs.pages import ROOT

PAGE = ROOT / "receiver" / "console" / "page"
FILES = sorted(PAGE.iterdir())
MODULES = [file for file in FILES if file.suffix == ".js"]
BYTES = {file: file.read_bytes() for file in FILES}
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

Client = TestClient[Any, Any]


def path_of(file: Path) -> str:
    """Return where a file is served."""
    return "/" if file.name == "index.html" else f"/console/{file.name}"


@pytest.fixture
async def client(aiohttp_client: Callable[[TestServer], Awaitable[Client]]) -> Client:
    """Return a client of nothing but the console."""
    application = web.Application()
    Console().add_to(application.router)
    return await aiohttp_client(TestServer(application))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_each_file_is_served_as_it_is(client: Client, file: Path) -> None:
    """With its type, kept nowhere, and with a policy that lets it do no more than it must."""
    answer = await client.get(path_of(file))
    assert await answer.read() == BYTES[file]
    headers = answer.headers
    assert headers["Content-Type"] == f"{TYPES[file.suffix]}; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_the_policy_allows_own_files_alone(client: Client) -> None:
    """Nothing from elsewhere, nothing inline, no form, no frame, and no text as markup."""
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    own = {name for name, allowed in directives.items() if allowed == "'self'"}
    assert own == {"script-src", "style-src", "img-src", "connect-src"}
    none = {name for name, allowed in directives.items() if allowed == "'none'"}
    assert none == {"default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"}
    assert directives.keys() - own - none == {"require-trusted-types-for"}
    assert directives["require-trusted-types-for"] == "'script'"


@pytest.mark.parametrize("base", ["/", "/some/path/"])
@pytest.mark.parametrize(
    "guessed", ["console", "console/", "console?to=//evil.example", "console/?x"]
)
async def test_who_guesses_is_led_to_the_page(client: Client, base: str, guessed: str) -> None:
    """Under whatever path a proxy has it, nowhere else, and without what was asked."""
    answer = await client.get(f"/{guessed}", allow_redirects=False)
    assert answer.status == 302
    assert answer.headers["Cache-Control"] == "no-store"
    site = URL("https://proxy.example")
    led = (site / base.strip("/") / "").join(URL(guessed)).join(URL(answer.headers["Location"]))
    assert led == site.with_path(base)


async def test_nothing_else_is_served(client: Client) -> None:
    """No other file of the machine, and no folder."""
    for path in ("/console/index.html", "/console/../pages.py", "/console/%2e%2e/x"):
        assert (await client.get(path)).status == 404
    assert (await client.post("/")).status == 405


def test_the_page_asks_for_what_there_is() -> None:
    """Each file that is named by another is there, and none comes from elsewhere."""
    text = "\n".join(file.read_text("utf-8") for file in FILES if file.suffix != ".svg")
    named = {*re.findall(r'(?:href|src)="([^"]+)"', text), *re.findall(r'from "\./([^"]+)"', text)}
    assert {name.removeprefix("console/") for name in named} == {
        file.name for file in FILES if file.name != "index.html"
    }
    assert "://" not in text


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_no_text_is_made_markup_or_script(file: Path) -> None:
    """The policy would refuse these at the latest: providers' words are in what is shown."""
    text = file.read_text("utf-8")
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert sink not in text
    assert "localStorage" not in text
    assert "document.cookie" not in text


def test_every_state_of_a_topic_is_explained() -> None:
    """The page has words for each state that the status can tell."""
    text = (PAGE / "care.js").read_text("utf-8")
    states = text.partition("const STATES = {")[2].partition("};")[0]
    explained = re.findall(r"^ +(\w+): \[", states, re.MULTILINE)
    assert sorted(explained) == sorted(state.value for state in State)


def test_a_stray_file_keeps_nothing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an editor leaves; webhooks are received by the same process."""
    page = tmp_path / "page"
    (page / "folder").mkdir(parents=True)
    for name in ("index.html", "main.js~", ".DS_Store"):
        (page / name).write_text("")
    monkeypatch.setattr(pages, "files", lambda _: tmp_path)
    assert pages.Console().paths == {"/", "/console", "/console/"}
