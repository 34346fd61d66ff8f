"""Registering watches: what the admin API and the command line have in common."""

from datetime import datetime

from handlers.jsontext import Json, JsonObject
from handlers.provider import Watch
from receiver.accounts.registry import Accounts
from receiver.kafka.appender import Appender
from receiver.watches.requests import StartWatch, StopWatch, WatchRequest, partition_key, to_record

_KNOWN = frozenset({"account", "kind", "id", "resource"})


class Malformed(Exception):
    """The request does not have the shape of a registration; ``str()`` says what it should be."""


class UnknownAccount(LookupError):
    """There is no such account."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no account {name!r:.100}")


def requested_watch(accounts: Accounts, wanted: JsonObject) -> Watch:
    """Return the watch that a registration asks for.

    It is ``{"account", "kind", "id"}``, or ``{"account", "resource": {…as returned…}}`` with the
    kind where the resource does not tell it.

    Raises:
        Malformed: it has another shape.
        UnknownAccount: its account is not configured.
        ValueError: the account's provider refuses it; ``str()`` says why.
    """
    unknown = sorted(wanted.keys() - _KNOWN)
    if unknown:
        raise Malformed(
            f"unknown: {', '.join(unknown)[:200]}; known are {', '.join(sorted(_KNOWN))}"
        )
    account = wanted.get("account")
    if not isinstance(account, str):
        raise Malformed('"account" must be the name of an account')
    handler = accounts.get(account)
    if handler is None:
        raise UnknownAccount(account)
    resource, kind = wanted.get("resource"), wanted.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise Malformed('"kind" must be text')
    if resource is not None:
        if not isinstance(resource, dict) or "id" in wanted:
            raise Malformed(
                '"resource" must be the object as the provider returned it, without "id"'
            )
        return handler.watch_resource(resource, kind)
    if kind is None:
        raise Malformed('"kind" and "id", or "resource", must be given')
    return handler.watch(kind, _id(wanted.get("id")))


class Registrar:
    """Asks the poller, wherever it runs, to start and stop watches."""

    def __init__(self, appender: Appender, topic: str) -> None:
        self._appender = appender
        self._topic = topic

    async def start(self, watch: Watch, since: datetime | None = None) -> tuple[int, int]:
        """Have ``watch`` polled from now on; a known one goes on as it is.

        ``since`` is when it began, for one that was polled before. Returns the request's
        partition and offset.

        Raises:
            NotDurable: the request is not in Kafka.
        """
        began = None if since is None else since.timestamp()
        return await self._request(StartWatch(watch.account, watch.kind, watch.id, began))

    async def stop(self, watch: Watch) -> tuple[int, int]:
        """Have ``watch`` polled no more; return the request's partition and offset.

        Raises:
            NotDurable: the request is not in Kafka.
        """
        return await self._request(StopWatch(watch.account, watch.kind, watch.id))

    async def _request(self, request: WatchRequest) -> tuple[int, int]:
        record = to_record(request)
        return await self._appender.append(
            self._topic,
            record.key,
            record.value or b"",
            partition_key=partition_key(request.watch.account),
        )


def _id(given: Json) -> str:
    # Providers write ids as numbers; so may those who register them.
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, str):
        raise Malformed('"id" must be text')
    return given
