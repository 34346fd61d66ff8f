"""Health: whether the roles of this process can do their work, and if not, why."""

from collections.abc import Callable, Collection, Mapping, Sequence

from config.topics import Topics
from receiver.inbox import Inbox
from receiver.kafka.inspection import Inspection
from receiver.observability.report import Part, Report, State
from receiver.roles import Role
from receiver.shards.membership import Membership
from receiver.shards.shard import Shard, ShardState
from receiver.spool.spool import Spool

_AT_FAULT = frozenset({ShardState.BROKEN, ShardState.RETRYING})


class Health:
    """Judges a process by its roles. It reads what others know and waits for nobody."""

    def __init__(
        self,
        roles: Collection[Role],
        topics: Topics,
        inbox: Inbox,
        spool: Spool | None,
        memberships: Mapping[Role, Membership],
        inspection: Inspection,
        draining: Callable[[], bool],
        *,
        overload: Callable[[], str] = lambda: "",
    ) -> None:
        self._roles = roles
        self._inbox = inbox
        self._spool = spool
        self._memberships = memberships
        self._inspection = inspection
        self._draining = draining
        self._overload = overload
        self._needs = {
            Role.RECEIVE: {topics.inbox},
            Role.ROUTE: {topics.inbox, topics.ledger, topics.dead_letters, *topics.events},
            Role.POLL: {topics.inbox, topics.watch_requests, topics.watchlist},
        }

    def report(self) -> Report:
        """Return how the process is now.

        A process that receives is judged by receiving: a load balancer must not take away webhooks
        that can still be kept safe. One that does not is judged by all that it does.
        """
        roles = {role: self._role(role) for role in sorted(self._roles)}
        judged = [Role.RECEIVE] if Role.RECEIVE in roles else list(roles)
        ready = all(roles[role].state is not State.FAILED for role in judged)
        parts = {
            role.value: part if role in judged else _at_most_degraded(part)
            for role, part in roles.items()
        }
        parts["kafka"] = self._kafka()
        if self._spool is not None:
            parts["spool"] = _spool(self._spool)
            parts["http"] = _at_most_degraded(Part.judged(self._overload()))
        parts["topics"] = self._topics()
        if self._draining():
            parts["process"] = Part(State.FAILED, "it is ending: send nothing more here")
            ready = False
        return Report(ready, parts)

    def _role(self, role: Role) -> Part:
        missing = self._inspection.missing & self._needs[role]
        if missing:
            amiss = self._told_missing(missing)
        elif role is Role.RECEIVE and not self._inbox.available:
            amiss = self._inbox.problem or "the inbox takes nothing"
        else:
            amiss = self._inspection.problem
        if role is Role.RECEIVE:
            return self._receive(amiss)
        if amiss:
            return Part(State.FAILED, amiss)
        membership = self._memberships[role]
        if not membership.joined:
            return Part(State.FAILED, "it has not joined its group yet")
        return Part.judged(_faults(list(membership.shards)))

    def _receive(self, amiss: str) -> Part:
        if amiss and self._spool is not None and self._spool.available:
            return Part(State.DEGRADED, f"{amiss}; webhooks are kept in the spool")
        return Part.judged(amiss)

    def _kafka(self) -> Part:
        return _at_most_degraded(Part.judged(self._inspection.problem))

    def _topics(self) -> Part:
        missing = self._inspection.missing
        told = [self._told_missing(missing)] if missing else []
        return _at_most_degraded(
            Part.judged("; ".join([*told, *self._inspection.weak, *self._inspection.losing]))
        )

    def _told_missing(self, topics: Collection[str]) -> str:
        return f"missing: {', '.join(sorted(topics))}; {self._inspection.remedy}"


def _spool(spool: Spool) -> Part:
    if not spool.available:
        return Part(State.DEGRADED, spool.problem or spool.full or spool.slow)
    if spool.count:
        return Part(State.DEGRADED, f"{spool.count} webhooks wait on disk for Kafka")
    return Part(State.OK)


def _faults(shards: Sequence[Shard]) -> str:
    told = [f"partition {s.partition}: {s.problem}" for s in shards if s.state in _AT_FAULT]
    return "; ".join(told)


def _at_most_degraded(part: Part) -> Part:
    return Part(State.DEGRADED, part.why) if part.state is State.FAILED else part
