"""Who may use the admin API."""

import pytest

from tests.unit.receiver.http.conftest import TOKEN, Connect

OPEN = ["/livez", "/readyz", "/metrics", "/console", "/console/"]
GUARDED = ["/v1/status", "/v1/watches", "/v1/dead-letters", "/v1/nothing", "/console/x"]


@pytest.mark.parametrize("path", OPEN)
async def test_probes_and_scrapers_need_no_token(connect: Connect, path: str) -> None:
    """Health and metrics answer whoever asks, under whatever name."""
    client = await connect(TOKEN)
    assert (await client.get(path, headers={"Host": "10.1.2.3:8081"})).status == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"],
)
async def test_all_else_needs_the_token(
    connect: Connect, path: str, authorization: str | None
) -> None:
    """Without the very token nothing is told, not even which paths there are."""
    client = await connect(TOKEN)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await client.get(path, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert (await answer.json())["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_lets_in(connect: Connect, scheme: str) -> None:
    """The token is compared as bytes, so that it may hold any character."""
    client = await connect(TOKEN)
    headers = {"Authorization": f"{scheme} {TOKEN}", "Origin": "http://elsewhere.example"}
    assert (await client.get("/v1/status", headers=headers)).status == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8081", "127.0.0.1:8081", "[::1]:8081"])
async def test_without_a_token_this_machine_is_let_in(connect: Connect, host: str) -> None:
    """A loopback listener is open to those who ask for this machine by name or address."""
    client = await connect()
    assert (await client.get("/v1/status", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8081", "10.1.2.3", "[::1", ""])
async def test_without_a_token_a_foreign_name_is_refused(connect: Connect, host: str) -> None:
    """A page whose own name was pointed at this machine (DNS rebinding) learns nothing."""
    client = await connect()
    answer = await client.get("/v1/status", headers={"Host": host})
    assert answer.status in {400, 403}
    assert "accounts" not in await answer.text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9999"])
async def test_without_a_token_another_site_is_refused(connect: Connect, origin: str) -> None:
    """A page of another origin, on this machine too, can start nothing."""
    client = await connect()
    headers = {"Host": "localhost:8081", "Origin": origin}
    answer = await client.post("/v1/watches", json={}, headers=headers)
    assert (answer.status, (await answer.json())["error"]["code"]) == (403, "foreign-origin")


async def test_without_a_token_its_own_pages_are_let_in(connect: Connect) -> None:
    """A page that this listener itself served may ask."""
    client = await connect()
    headers = {"Host": "localhost:8081", "Origin": "http://localhost:8081"}
    assert (await client.get("/v1/status", headers=headers)).status == 200
