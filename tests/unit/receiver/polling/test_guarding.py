"""The guard and the poller together, over the provider's sandbox and in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

from config.account import AccountSettings
from handlers.clock import rfc3339
from handlers.exchange import Request, Response
from handlers.provider import RECONCILIATION, Watch
from handlers.sandbox import Callback
from handlers.smartpay import provider
from handlers.smartpay.sandbox import SmartPaySandbox
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.topics import TOPICS
from receiver.accounts.registry import Accounts
from receiver.kafka.clients import partition_for
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.polling.budget import Budget
from receiver.polling.caller import Caller
from receiver.polling.entry import WatchEntry
from receiver.polling.poller import Poller
from receiver.polling.sealing import fingerprint
from receiver.polling.standing import Standing, Stop, standing_key
from receiver.polling.visits import Visits
from receiver.registration.registered import Call, Listed, Registered, TopicRegistration
from receiver.registration.signs import Announced, Arrived, Missed, Order
from receiver.registration.vitals import TopicVitals, Vitals, vitals_key
from receiver.watches.requests import partition_key, to_record, together

from .fakes import FakeInbox, FakeShard
from .virtual import virtual
from .world import EPOCH

NOW = EPOCH.timestamp()
HOUR, DAY = 3600.0, 86_400.0
PUBLIC_URL = "https://pay.example.com"
PAID = "invoice/paid"
GUARD = b"shop/registration/"

Trouble = Callable[[Request], Response | None]


def now() -> datetime:
    """Return the time: the loop's, after the epoch."""
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


class Site(Caller):
    """The sandbox, unless there is trouble; whoever it calls answers 200."""

    def __init__(self) -> None:
        super().__init__(Metrics(Alarms(now)), now, max_response=1, concurrency=1)
        self.sandbox = SmartPaySandbox()
        self.trouble: Trouble = lambda _: None
        self.calls: list[str] = []

    async def _call(self, account: AccountSettings, request: Request, budget: Budget) -> Response:  # noqa: ARG002
        await budget.take()
        self.calls.append(request.path.rsplit("/", 1)[-1])
        answer: Response | Callback = self.trouble(request) or self.sandbox.handle(request, now())
        while isinstance(answer, Callback):
            answer = answer.resume(200)
        return answer


class Shop:
    """The account "shop" with SmartPay's own defaults, but for what is changed."""

    def __init__(self, **changed: Any) -> None:
        self.site = Site()
        given = self.site.sandbox.account("shop", "http://127.0.0.1:1")
        self.settings = SmartPaySettings(
            name="shop", base_url=given.base_url, api_key=given.api_key, **changed
        )

    @asynccontextmanager
    async def polled(self, shard: FakeShard) -> AsyncIterator[None]:
        """Have a poller work on a shard."""
        alarms = Alarms(now)
        accounts = Accounts({"smartpay": provider})
        accounts.replace({"shop": self.settings})
        visits = Visits(
            FakeInbox(), self.site, alarms, now, Random(7), public_url=PUBLIC_URL, reach=None
        )
        poller = Poller(accounts, visits, monotonic=asyncio.get_running_loop().time)
        working = asyncio.create_task(poller.work(shard))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])


def registered(**changed: TopicRegistration) -> Registered:
    """Return what is known of an account whose topics were all proven a day ago."""
    url = f"{PUBLIC_URL}/webhooks/shop"
    topics = {
        topic: TopicRegistration(f"w{n}", enabled_at=NOW - DAY, proven_at=NOW - DAY)
        for n, topic in enumerate(TOPICS)
    }
    return Registered(
        url=url,
        listed=tuple(Listed(f"w{n}", topic, url) for n, topic in enumerate(TOPICS)),
        listed_at=NOW - 60,
        topics={**topics, **changed},
        looked_at=NOW - 60,
        swept_at=NOW - DAY,
    )


def guard(known: Registered, due_at: float = NOW) -> bytes:
    """Return the guard's watch with what it knows."""
    return WatchEntry(NOW - DAY, due_at, last_polled_at=NOW - 60, memory=known.encode()).encode()


def windows(count: int, *, paused: float) -> dict[bytes, bytes]:
    """Return so many windows of a day each, due in ``paused`` seconds."""
    entries = {}
    for day in range(1, count + 1):
        begin, end = (rfc3339(EPOCH - timedelta(days=d)) for d in (day + 1, day))
        key = Watch("shop", RECONCILIATION, f"invoices/{begin}/{end}").key
        entry = WatchEntry(NOW - DAY, NOW + paused, last_polled_at=NOW, pace=paused / 60)
        entries[key.encode()] = entry.encode()
    return entries


@virtual
async def test_whoever_takes_over_reads_what_was_told_before_judging() -> None:
    """The announcement was waiting, unread, while the suspicion became old enough."""
    missed = Missed("fact", PAID, "invoice/1", NOW - 400, NOW - 360)
    vitals = Vitals(topics={PAID: TopicVitals(missed=(missed,))})
    shard = FakeShard({GUARD: guard(registered()), vitals_key("shop").encode(): vitals.encode()})
    shard.send(Announced("shop", PAID, NOW - 300, facts=("fact",)))
    shop = Shop(manage_webhooks=True)
    async with shop.polled(shard):
        await asyncio.sleep(60)
    assert "delete_webhook" not in shop.site.calls


@virtual
async def test_a_suspect_has_its_turn_although_more_is_due_than_can_be_read() -> None:
    """Deleting it waits until there are calls for what follows, and those are kept back for it."""
    missed = Missed("fact", PAID, "invoice/1", NOW - 800, NOW - 760)
    vitals = Vitals(topics={PAID: TopicVitals(missed=(missed,))})
    shop = Shop(manage_webhooks=True, calls=12, reconcile_interval="1m")
    known = as_made(shop.site.sandbox, registered())
    entries = {GUARD: guard(known), vitals_key("shop").encode(): vitals.encode()}
    async with shop.polled(FakeShard({**windows(300, paused=0.0), **entries})):
        await asyncio.sleep(2 * HOUR)
        mended_at = shop.site.calls.index("create_webhook")
        assert shop.site.calls[mended_at - 1] == "delete_webhook"
        await asyncio.sleep(2 * HOUR)
    assert len(shop.site.calls) >= 4 * 12, "and nothing is kept back after that"


@virtual
async def test_signs_that_share_a_record_go_each_to_its_own_account() -> None:
    """One is taken here, and another one is handed on to the partition that its account has now."""
    home, elsewhere = (partition_for(partition_key(name), 8) for name in ("shop", "another"))
    assert home != elsewhere
    shard = FakeShard({GUARD: guard(registered())}, partition=home, partitions=8)
    ours, theirs = (Announced(name, PAID, NOW - 300) for name in ("shop", "another"))
    [record] = together([theirs, ours])
    shard.send(record.value or b"")
    async with Shop().polled(shard):
        await asyncio.sleep(1.0)
    vitals = Vitals.decode(shard.entries[vitals_key("shop").encode()])
    assert vitals.topics[PAID].alive_at == NOW - 300
    assert shard.forwarded == [(("requests", elsewhere), to_record(theirs).value)]
    assert shard.position.offset == 1


@virtual
async def test_a_visit_that_calls_nobody_says_nothing_of_the_provider() -> None:
    """Pauses grow although the guard looks every ten minutes, and is woken by strangers."""
    shop = Shop()
    shop.site.trouble = lambda _: Response.json(503, {})
    shard = FakeShard(windows(39, paused=0.0))

    async def knock() -> None:
        while True:
            shard.send(Arrived("shop", "webhook/created", now().timestamp()))
            await asyncio.sleep(30)

    async with shop.polled(shard):
        knocking = asyncio.create_task(knock())
        await asyncio.sleep(6 * HOUR)
        knocking.cancel()
    assert 3 <= len(shop.site.calls) <= 15
    standing = Standing.decode(shard.entries[standing_key("shop").encode()])
    assert standing.heard_at is None
    assert standing.failures > 2


@virtual
async def test_a_stop_is_not_lifted_without_a_call() -> None:
    """An order has the guard look, and it rests: nothing was heard of the key."""
    call = Call("modify", NOW - 5, NOW - 4)
    waiting = TopicRegistration("w1", enabled_at=NOW - DAY, proven_at=NOW - DAY, call=call)
    shop = Shop(manage_webhooks=True)
    stop = Stop(fingerprint(shop.settings), "1001: Invalid key", NOW - 10)
    shard = FakeShard(
        {
            GUARD: guard(registered(**{PAID: waiting}), NOW + 60),
            standing_key("shop").encode(): Standing(stop=stop).encode(),
        }
    )
    shop.site.trouble = lambda _: Response.json(200, {"errors": {"1001": "Invalid key"}})
    async with shop.polled(shard):
        shard.send(Order("shop", "1", "ensure", NOW))
        await asyncio.sleep(5 * 60)
    assert Standing.decode(shard.entries[standing_key("shop").encode()]).stop is not None
    assert len(shop.site.calls) <= 2


@virtual
async def test_one_gap_is_one_sweep() -> None:
    """Reading everything uses up the budget, and the guard waits: that is no other gap."""
    shop = Shop()
    known = registered()
    long_ago = Registered.decode(known.encode())
    entries = windows(100, paused=20 * DAY)
    entries[GUARD] = guard(_looked_at(long_ago, NOW - HOUR))
    async with shop.polled(FakeShard(entries)):
        await asyncio.sleep(DAY)
    reads = shop.site.calls.count("get_invoices")
    assert 190 <= reads <= 300, "96 of the head, and each of 100 windows once"


def as_made(sandbox: SmartPaySandbox, known: Registered) -> Registered:
    """Have the sandbox made what is known; return that under its ids."""
    sandbox.subscribe(known.url)
    made: Any = sandbox.controls["webhooks"].run({}, now())
    ids: dict[str, str] = {one["topic"]: one["webhook_id"] for one in made}
    topics = {
        topic: TopicRegistration(ids[topic], one.enabled_at, proven_at=one.proven_at)
        for topic, one in known.topics.items()
    }
    listed = tuple(Listed(id_, topic, known.url) for topic, id_ in ids.items())
    return Registered(
        known.url, listed, known.listed_at, topics, looked_at=NOW - 60, swept_at=NOW - DAY
    )


def _looked_at(known: Registered, at: float) -> Registered:
    return Registered(
        known.url, known.listed, known.listed_at, known.topics, looked_at=at, swept_at=at
    )
