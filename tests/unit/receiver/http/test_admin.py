"""Health, metrics, status and errors on the admin listener."""

from receiver.observability.alarms import Alarms
from receiver.observability.report import Part, Report, State
from tests.unit.receiver.http.conftest import ACCOUNT_SECRET, Connect, FakeHealth


async def test_livez_answers_while_the_process_lives(connect: Connect, health: FakeHealth) -> None:
    """A process that is not ready is alive all the same: it must not be killed for it."""
    health.told = Report(False, {})
    client = await connect()
    assert (await client.get("/livez")).status == 200


async def test_readyz_says_each_part_and_why(connect: Connect, health: FakeHealth) -> None:
    """The status is for load balancers, the JSON for people."""
    client = await connect()
    assert (await client.get("/readyz")).status == 200
    health.told = Report(False, {"receive": Part(State.FAILED, "Kafka is away")})
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "state": "failed",
        "parts": {"receive": {"state": "failed", "why": "Kafka is away"}},
    }


async def test_metrics_show_alarms(connect: Connect, alarms: Alarms) -> None:
    """An alarm is a gauge by account and code, until it is over."""
    alarms.sound("cherries", "provider-away", why="it is", remedy="wait")
    client = await connect()
    gauge = 'payevents_alarm{account="cherries",code="provider-away"} 1.0'
    assert gauge in await (await client.get("/metrics")).text()
    alarms.over("cherries", "provider-away")
    assert gauge not in await (await client.get("/metrics")).text()


async def test_the_status_shows_accounts_and_alarms_but_no_secret(
    connect: Connect, alarms: Alarms
) -> None:
    """Whoever reads the status learns what to do, and nothing to sign in with."""
    alarms.sound("cherries", "provider-away", why="it is", remedy="wait")
    client = await connect()
    answer = await client.get("/v1/status")
    assert ACCOUNT_SECRET not in await answer.text()
    told = await answer.json()
    assert told["accounts"] == [
        {"name": "cherries", "provider": "voucherry", "from_accounts_dir": True}
    ]
    [alarm] = told["alarms"]
    assert (alarm["code"], alarm["what_to_do"]) == ("provider-away", "wait")


async def test_errors_are_json(connect: Connect) -> None:
    """Unknown paths and methods are answered in the form of every other error."""
    client = await connect()
    unknown = await client.get("/v1/nothing")
    assert (unknown.status, (await unknown.json())["error"]["code"]) == (404, "not-found")
    wrong = await client.put("/v1/watches")
    assert (wrong.status, (await wrong.json())["error"]["code"]) == (405, "method-not-allowed")
    assert set(wrong.headers["Allow"].split(",")) >= {"GET", "POST"}


async def test_what_reads_from_kafka_says_that_it_is_away(connect: Connect) -> None:
    """Listings are 503 without Kafka, with words for people."""
    client = await connect()
    for path in ("/v1/watches", "/v1/dead-letters"):
        answer = await client.get(path)
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "kafka-away")
        assert "Retry-After" in answer.headers
