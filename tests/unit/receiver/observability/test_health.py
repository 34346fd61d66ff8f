"""Readiness: a process is judged by its roles, and says why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from config.topics import Topics
from receiver.inbox import Inbox
from receiver.kafka.inspection import Inspection
from receiver.observability.health import Health
from receiver.observability.report import Part, Report, State
from receiver.roles import ALL_ROLES, Role
from receiver.shards.membership import Membership
from receiver.shards.shard import ShardState
from receiver.spool.spool import Spool


@dataclass
class FakeInbox:
    """An inbox as a test wants it."""

    available: bool = True
    problem: str = ""


@dataclass
class FakeSpool:
    """A spool as a test wants it."""

    problem: str = ""
    count: int = 0
    full: str = ""
    slow: str = ""

    @property
    def available(self) -> bool:
        """Tell whether it takes anything."""
        return not (self.problem or self.full or self.slow)


@dataclass
class FakeShard:
    """A shard as a test wants it."""

    partition: int
    state: ShardState
    problem: str = ""


@dataclass
class FakeMembership:
    """A membership as a test wants it."""

    joined: bool = True
    shards: Sequence[FakeShard] = ()


@dataclass
class FakeInspection:
    """What was seen of the cluster."""

    problem: str = ""
    missing: frozenset[str] = frozenset()
    remedy: str = "run 'payevents topics create'"
    weak: Sequence[str] = ()
    losing: Sequence[str] = ()


@dataclass
class Process:
    """A process made of stand-ins."""

    inbox: FakeInbox = field(default_factory=FakeInbox)
    spool: FakeSpool = field(default_factory=lambda: FakeSpool("the disk is full"))
    route: FakeMembership = field(default_factory=FakeMembership)
    poll: FakeMembership = field(default_factory=FakeMembership)
    inspection: FakeInspection = field(default_factory=FakeInspection)
    draining: bool = False
    overload: str = ""

    def report(self, roles: Collection[Role] = ALL_ROLES) -> Report:
        """Judge it by ``roles``."""
        memberships = {
            role: cast("Membership", membership)
            for role, membership in ((Role.ROUTE, self.route), (Role.POLL, self.poll))
            if role in roles
        }
        return Health(
            roles,
            Topics.named("", ()),
            cast("Inbox", self.inbox),
            cast("Spool", self.spool) if Role.RECEIVE in roles else None,
            memberships,
            cast("Inspection", self.inspection),
            lambda: self.draining,
            overload=lambda: self.overload,
        ).report()


@pytest.mark.parametrize("roles", [ALL_ROLES, {Role.RECEIVE}, {Role.ROUTE}, {Role.POLL}])
def test_a_well_process_is_ready(roles: Collection[Role]) -> None:
    """Whatever its roles, a process in which nothing is amiss is ready and says ok."""
    report = Process(spool=FakeSpool()).report(roles)
    assert report.ready
    assert report.as_json()["state"] == "ok"


def test_a_receiver_is_judged_by_receiving() -> None:
    """A process that takes webhooks stays ready while its routing and polling fail."""
    process = Process(route=FakeMembership(joined=False), poll=FakeMembership(joined=False))
    report = process.report()
    assert report.ready
    assert report.as_json()["state"] == "degraded"
    assert report.parts["route"].state is State.DEGRADED
    assert report.parts["route"].why


@pytest.mark.parametrize("role", [Role.ROUTE, Role.POLL])
def test_a_worker_needs_its_membership(role: Role) -> None:
    """A process that only routes or polls is not ready before it has joined its group."""
    process = Process(route=FakeMembership(joined=False), poll=FakeMembership(joined=False))
    assert not process.report({role}).ready


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        (ShardState.STARTING, True),
        (ShardState.RESTORING, True),
        (ShardState.RUNNING, True),
        (ShardState.FENCED, True),
        (ShardState.RETRYING, False),
        (ShardState.BROKEN, False),
    ],
)
def test_a_worker_needs_its_shards(state: ShardState, ready: bool) -> None:
    """A shard that cannot work makes a worker unready, and its reason is told."""
    shards = [FakeShard(0, ShardState.RUNNING), FakeShard(1, state, "the table is gone")]
    report = Process(route=FakeMembership(shards=shards)).report({Role.ROUTE})
    assert report.ready is ready
    assert ("partition 1: the table is gone" in report.parts["route"].why) is not ready


def test_the_spool_keeps_a_receiver_ready() -> None:
    """While Kafka is away and the disk takes webhooks, they are asked for, and why is told."""
    process = Process(
        inbox=FakeInbox(False, "no answer"),
        spool=FakeSpool(count=3),
        inspection=FakeInspection(problem="refused", missing=frozenset({"payevents.inbox"})),
    )
    report = process.report()
    assert report.ready
    assert report.parts["receive"].state is State.DEGRADED
    assert "kept in the spool" in report.parts["receive"].why
    assert "3 webhooks wait" in report.parts["spool"].why


def test_a_failed_spool_is_told_and_matters_only_without_kafka() -> None:
    """While Kafka takes webhooks a broken spool is degraded; nobody is kept from being ready."""
    report = Process().report()
    assert report.ready
    assert report.parts["spool"].state is State.DEGRADED


@pytest.mark.parametrize("spool", [FakeSpool("the disk is gone"), FakeSpool(full="no room left")])
def test_a_receiver_without_inbox_and_spool_is_unready(spool: FakeSpool) -> None:
    """Webhooks that could not be made durable are not asked for, and the spool says why."""
    report = Process(inbox=FakeInbox(False, "no answer"), spool=spool).report()
    assert not report.ready
    assert report.parts["receive"].why == "no answer"
    assert report.parts["spool"].why == (spool.problem or spool.full)


@pytest.mark.parametrize("role", list(Role))
def test_kafka_away_is_unready_also_when_idle(role: Role) -> None:
    """What nobody has tried to send yet is no proof that it could be."""
    report = Process(inspection=FakeInspection(problem="refused")).report({role})
    assert not report.ready
    assert report.parts["kafka"].state is State.DEGRADED


@pytest.mark.parametrize(
    ("topic", "unready"),
    [
        ("payevents.inbox", {Role.RECEIVE, Role.ROUTE, Role.POLL}),
        ("payevents.ledger", {Role.ROUTE}),
        ("payments.invoices", {Role.ROUTE}),
        ("payevents.watchlist", {Role.POLL}),
    ],
)
def test_a_missing_topic_is_named_with_what_to_do(topic: str, unready: set[Role]) -> None:
    """It makes those unready that need it, and everyone says which and how to make it."""
    process = Process(inspection=FakeInspection(missing=frozenset({topic})))
    assert {role for role in Role if not process.report({role}).ready} == unready
    why = process.report().parts["topics"].why
    assert topic in why
    assert "payevents topics create" in why


@pytest.mark.parametrize(
    "inspection", [FakeInspection(weak=["the ledger is"]), FakeInspection(losing=["the ledger is"])]
)
def test_a_weak_or_a_losing_topic_is_degraded(inspection: FakeInspection) -> None:
    """What is not lost yet is told and keeps nobody from being ready."""
    report = Process(inspection=inspection).report()
    assert report.ready
    assert report.parts["topics"] == Part(State.DEGRADED, "the ledger is")


def test_a_draining_process_is_unready() -> None:
    """Load balancers are to look elsewhere, although requests are still answered."""
    report = Process(draining=True).report()
    assert not report.ready
    assert report.parts["receive"].state is State.OK


def test_a_receiver_that_refuses_stays_ready_and_says_why() -> None:
    """Turned away by a load balancer, it would only send its load to the others."""
    report = Process(spool=FakeSpool(), overload="too much waits").report()
    assert report.ready
    assert report.parts["http"] == Part(State.DEGRADED, "too much waits")


def test_a_disk_that_hangs_is_told() -> None:
    """A spool that is too slow to be waited for is degraded, with the reason."""
    report = Process(spool=FakeSpool(slow="nothing was written")).report()
    assert report.parts["spool"] == Part(State.DEGRADED, "nothing was written")
