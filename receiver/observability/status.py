"""The status: what this process is doing, for people and consoles. It never holds a secret."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from handlers.clock import rfc3339, utc_now
from receiver.accounts.registry import Accounts
from receiver.care.known import NOBODY, CareSource
from receiver.inbox import Inbox
from receiver.observability.alarms import Alarms
from receiver.observability.care_status import asked_as_json, care_as_json
from receiver.observability.health import Health
from receiver.observability.version import own_version
from receiver.roles import Role
from receiver.shards.membership import Membership
from receiver.shards.shard import Shard
from receiver.spool.spool import Spool

_AT_ONCE = 20
"""How many accounts hold up everything else that the process does: a few milliseconds."""


class Status:
    """Gathers what ``/v1/status`` shows."""

    def __init__(
        self,
        accounts: Accounts,
        alarms: Alarms,
        inbox: Inbox,
        memberships: Mapping[Role, Membership],
        health: Health,
        directory_accounts: Callable[[], Iterable[str]],
        care: CareSource = NOBODY,
        spool: Spool | None = None,
    ) -> None:
        self._accounts = accounts
        self._alarms = alarms
        self._inbox = inbox
        self._memberships = memberships
        self._health = health
        self._directory_accounts = directory_accounts
        self._care = care
        self._spool = spool
        self._started_at = utc_now()

    async def as_json(self) -> dict[str, object]:
        """Return the status as it is now; with very many accounts others go on meanwhile."""
        return {
            "version": own_version(),
            "started_at": rfc3339(self._started_at),
            "health": self._health.report().as_json(),
            "accounts": await self._accounts_as_json(),
            "shards": self._shards_as_json(),
            "inbox": {"available": self._inbox.available, "problem": self._inbox.problem},
            "spool": None if self._spool is None else _spool_as_json(self._spool),
            "alarms": [alarm.as_json() for alarm in self._alarms.present],
        }

    async def _accounts_as_json(self) -> list[dict[str, object]]:
        from_directory = set(self._directory_accounts())
        cared, asked, now = self._care.accounts(), self._care.asked(), utc_now().timestamp()
        found: list[dict[str, object]] = []
        handlers = sorted(self._accounts, key=lambda handler: handler.account.name)
        for number, handler in enumerate(handlers):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            name = handler.account.name
            account: dict[str, object] = {
                "name": name,
                "provider": handler.account.provider,
                "from_accounts_dir": name in from_directory,
            }
            if name in asked:
                account["polling"] = asked_as_json(asked[name], now)
            if name in cared:
                account["care"] = care_as_json(handler, cared[name], now)
            found.append(account)
        return found

    def _shards_as_json(self) -> list[dict[str, object]]:
        return [
            _shard_as_json(role, shard)
            for role, membership in sorted(self._memberships.items())
            for shard in sorted(membership.shards, key=lambda shard: shard.partition)
        ]


def _spool_as_json(spool: Spool) -> dict[str, object]:
    return {
        "available": spool.available,
        "problem": spool.problem or spool.full or spool.slow,
        "observations": spool.count,
        "bytes": spool.bytes,
        "max_bytes": spool.max_bytes,
    }


def _shard_as_json(role: Role, shard: Shard) -> dict[str, object]:
    return {
        "role": role,
        "partition": shard.partition,
        "state": shard.state,
        "lag": None if shard.open is None else shard.open.lag(),
        "problem": shard.problem,
    }
