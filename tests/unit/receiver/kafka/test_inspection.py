"""Inspection: what counts as Kafka being away, and what is told about the topics."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from receiver.kafka import inspection
from receiver.kafka.clients import Clients
from receiver.kafka.inspection import Inspection, weaknesses
from receiver.kafka.reach import Obstacle
from receiver.kafka.topics import TopicSpec, TopicState
from receiver.observability.alarms import Alarms

SPEC = TopicSpec("inbox", 3, 3, {})
TABLE = TopicSpec("ledger", 3, 3, {"cleanup.policy": "compact"}, sharded=True)
CLIENTS = Clients({"bootstrap_servers": "127.0.0.1:9092"})


class Cluster:
    """A cluster and a clock as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.answers = True
        self.states = [state(min_insync="2", replicas=3)]
        monkeypatch.setattr(inspection, "compare_topics", self._compare)
        monkeypatch.setattr(inspection, "obstacle", self._obstacle)
        self.obstacle: Obstacle | None = None
        self.obstacles_sought = 0
        self.refusal: type[BaseException] = KafkaConnectionError
        self.hangs = 0.0
        self.alarms = Alarms(lambda: datetime(2026, 11, 22, tzinfo=UTC))
        self.inspection = Inspection(CLIENTS, [SPEC], self.alarms, monotonic=lambda: self.now)

    @property
    def codes(self) -> list[str]:
        """Return the codes of the alarms."""
        return [alarm.code for alarm in self.alarms.present]

    async def _obstacle(self, *_: object) -> Obstacle | None:
        self.obstacles_sought += 1
        return self.obstacle

    async def _compare(self, *_: object) -> list[TopicState]:
        self.now += self.hangs
        if not self.answers:
            raise self.refusal("refused")
        return self.states


def state(*, min_insync: str, replicas: int) -> TopicState:
    """Return a topic that exists."""
    config = {"min.insync.replicas": min_insync}
    return TopicState(SPEC, exists=True, replication_factor=replicas, config=config)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Return a cluster that answers."""
    return Cluster(monkeypatch)


async def test_a_cluster_that_never_answered_is_away_at_once(cluster: Cluster) -> None:
    """At the start one failure is enough: nothing speaks for the cluster."""
    assert cluster.inspection.problem == ""
    cluster.answers = False
    await cluster.inspection.look()
    assert "Kafka cannot be reached" in cluster.inspection.problem


async def test_one_broker_lost_is_not_the_cluster(cluster: Cluster) -> None:
    """After an answer only failures that repeat and last count: one of three may be gone."""
    await cluster.inspection.look()
    cluster.answers = False
    for _ in range(5):
        await cluster.inspection.look()
    assert cluster.inspection.problem == ""
    cluster.now += 60
    assert cluster.inspection.problem


async def test_a_single_failure_long_after_an_answer_is_doubt_only(cluster: Cluster) -> None:
    """The looks are seconds apart, so the answer before a first failure is always old."""
    await cluster.inspection.look()
    cluster.now += 60
    cluster.answers = False
    await cluster.inspection.look()
    assert cluster.inspection.problem == ""
    await cluster.inspection.look()
    assert cluster.inspection.problem


async def test_an_answer_ends_it(cluster: Cluster) -> None:
    """A cluster that came back is there at once."""
    cluster.answers = False
    await cluster.inspection.look()
    cluster.answers = True
    await cluster.inspection.look()
    cluster.now += 60
    assert cluster.inspection.problem == ""


@pytest.mark.parametrize("answered_before", [False, True])
async def test_kafka_away_for_half_a_minute_is_an_alarm(
    cluster: Cluster, answered_before: bool
) -> None:
    """Nobody is woken for an election; after half a minute someone is, and told what is kept."""
    if answered_before:
        await cluster.inspection.look()
    cluster.answers = False
    for _ in range(30):
        await cluster.inspection.look()
        cluster.now += 1
    assert cluster.codes == []
    await cluster.inspection.look()
    [alarm] = cluster.alarms.present
    assert (alarm.account, alarm.code) == ("", "kafka-away")
    assert alarm.why == cluster.inspection.problem
    assert "spool.max_bytes" in alarm.remedy


async def test_the_alarm_says_what_keeps_us_from_kafka(cluster: Cluster) -> None:
    """Nobody is told to bring back a cluster that is there and refuses a password."""
    cluster.answers, cluster.hangs = False, 40
    cluster.obstacle = Obstacle(5, "k:9092 refuses the user", "check kafka.sasl_password")
    await cluster.inspection.look()
    [alarm] = cluster.alarms.present
    assert alarm.why == "Kafka cannot be reached: k:9092 refuses the user"
    assert alarm.remedy.startswith("check kafka.sasl_password; webhooks are kept in the spool")


async def test_topics_that_may_not_be_seen_are_not_to_be_made(cluster: Cluster) -> None:
    """They may be there: what is missing is a right, and not a topic."""
    cluster.states = [TopicState(SPEC, exists=False, is_hidden=True)]
    await cluster.inspection.look()
    assert cluster.inspection.missing == {"inbox"}
    assert "give the user Describe" in cluster.inspection.remedy
    cluster.states = [TopicState(SPEC, exists=False)]
    await cluster.inspection.look()
    assert cluster.inspection.remedy == "run 'payevents topics create'"


async def test_what_nobody_expects_does_not_end_the_inspection(cluster: Cluster) -> None:
    """Such as the UnicodeError for a host with two dots in a row."""
    cluster.answers, cluster.refusal = False, UnicodeError
    await cluster.inspection.look()
    assert "UnicodeError" in cluster.inspection.problem


async def test_the_obstacle_is_looked_for_now_and_then(cluster: Cluster) -> None:
    """Each question is a sign-in more that fails, and some directories lock accounts for that."""
    cluster.answers = False
    for _ in range(31):
        await cluster.inspection.look()
        cluster.now += 1
    assert cluster.obstacles_sought == 3


async def test_a_look_that_was_cancelled_inside_is_a_look_that_failed(cluster: Cluster) -> None:
    """Aiokafka cancels what others wait for; the inspection, and the process, go on."""
    cluster.refusal = asyncio.CancelledError
    cluster.answers = False
    await cluster.inspection.look()
    assert "Kafka cannot be reached" in cluster.inspection.problem


async def test_the_alarm_about_kafka_ends_with_its_first_answer(cluster: Cluster) -> None:
    """It ends by itself, and the next outage has its own half minute."""
    cluster.answers, cluster.hangs = False, 20
    await cluster.inspection.look()
    await cluster.inspection.look()
    assert cluster.codes == ["kafka-away"]
    cluster.answers, cluster.hangs = True, 0
    await cluster.inspection.look()
    assert cluster.codes == []
    cluster.now += 60
    cluster.answers = False
    for _ in range(3):
        await cluster.inspection.look()
    assert cluster.inspection.problem
    assert cluster.codes == []


async def test_questions_that_hang_count_from_when_they_were_asked(cluster: Cluster) -> None:
    """A cluster behind a dead network fails slowly, and is away since the first question."""
    await cluster.inspection.look()
    cluster.answers, cluster.hangs = False, 60
    await cluster.inspection.look()
    assert cluster.codes == []
    await cluster.inspection.look()
    assert cluster.codes == ["kafka-away"]


async def test_missing_topics_are_told_once(cluster: Cluster) -> None:
    """What is missing is logged with what to do when it changes, not at every look."""
    cluster.states = [TopicState(SPEC, exists=False)]
    with capture_logs() as lines:
        await cluster.inspection.look()
        await cluster.inspection.look()
    [line] = lines
    assert (line["log_level"], line["topics"]) == ("warning", ["inbox"])
    assert "payevents topics create" in line["what_to_do"]
    assert cluster.inspection.missing == {"inbox"}


async def test_a_table_that_deletes_is_an_alarm_until_it_does_not(cluster: Cluster) -> None:
    """It pages before anything is lost, says what to run, and stays while Kafka is away."""
    cluster.states = [TopicState(TABLE, exists=True, config={"cleanup.policy": "delete"})]
    await cluster.inspection.look()
    cluster.answers = False
    await cluster.inspection.look()
    [alarm] = cluster.alarms.present
    assert (alarm.account, alarm.code, alarm.urgency) == ("", "topic-loses-records", "page")
    assert [alarm.why] == cluster.inspection.losing
    assert "run: kafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter" in alarm.remedy
    cluster.answers = True
    cluster.states = [TopicState(TABLE, exists=True, config=TABLE.config)]
    await cluster.inspection.look()
    assert (cluster.codes, cluster.inspection.losing) == ([], [])


@pytest.mark.parametrize(
    ("min_insync", "replicas", "weak"),
    [("1", 1, False), ("1", 2, False), ("2", 3, False), ("3", 3, False), ("1", 3, True)],
)
def test_one_lost_broker_may_not_take_records_along(
    min_insync: str, replicas: int, weak: bool
) -> None:
    """Fewer than max(1, replicas - 1) in sync are too few."""
    assert bool(weaknesses([state(min_insync=min_insync, replicas=replicas)])) is weak


def test_what_may_not_be_read_is_not_judged() -> None:
    """Without the right to read a topic's configuration nothing is said about it."""
    assert weaknesses([TopicState(SPEC, exists=True, replication_factor=3)]) == []
