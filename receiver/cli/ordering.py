"""Ordering something of the poller that has an account, and waiting until it is done."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import typer
from aiokafka import AIOKafkaConsumer

from config.settings import Settings
from config.types import format_duration
from handlers.clock import utc_now
from handlers.registration import Registration
from receiver.care.orders import PlacedOrder, new_order, wait
from receiver.cli.context import accounts_of, fail, handler_of
from receiver.cli.kafka import appending, run
from receiver.cli.output import one_line, printable
from receiver.kafka.clients import Clients
from receiver.kafka.following import following
from receiver.registration.condition import told
from receiver.registration.signs import Order
from receiver.registration.situation import Situation
from receiver.watches.requests import partition_key

NO_URL = (
    "http.public_url is not set: it says where providers reach this service from outside, and"
    " webhooks are registered below it"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; ``what`` is that of an order, ``patience`` in seconds."""

    account: str
    what: str
    patience: float
    topics: tuple[str, ...] = ()
    take_over: bool = False
    recreate: bool = False

    def order(self, what: str) -> Order:
        """Return an order of ``what``."""
        return new_order(
            self.account,
            what,
            utc_now().timestamp(),
            take_over=self.take_over,
            recreate=self.recreate,
            topics=self.topics,
        )


def registration_of(settings: Settings, wanted: Wanted, *, needs_url: bool = False) -> Registration:
    """Return how the account is registered, or end the command saying why it cannot be."""
    handler = handler_of(accounts_of(settings), wanted.account)
    registration = handler.registration
    if registration is None:
        raise fail(f"{handler.account.provider} calls no webhooks: there is nothing to register")
    if needs_url and settings.http.public_url is None:
        raise fail(NO_URL)
    unknown = [topic for topic in wanted.topics if topic not in registration.topics]
    if unknown:
        known = ", ".join(registration.topics)
        raise typer.BadParameter(
            f"no such topic: {', '.join(unknown)[:100]}; there are {known}", param_hint="--topic"
        )
    return registration


def carried_out(
    settings: Settings, wanted: Wanted, order: Order, *, is_quiet: bool = True
) -> PlacedOrder:
    """Place an order and follow it to its end, or for as long as the patience lasts.

    Unless ``is_quiet``, it is told on standard error that this is waited for, and each step of an
    order that changes something on standard output when it was made.
    """
    say = _nothing if order.what == "list" or is_quiet else typer.echo
    placed = PlacedOrder(order)

    async def work(clients: Clients) -> None:
        async with _placed(settings, placed, clients) as records:
            if not is_quiet:
                longest = format_duration(timedelta(seconds=wanted.patience))
                typer.echo(f"waiting for a running poller (up to {longest}) …", err=True)
            await wait(placed, records, patience=wanted.patience, tell=_teller(placed, say))

    try:
        run(settings, work)
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("error: interrupted", err=True)
    return placed


@asynccontextmanager
async def _placed(
    settings: Settings, placed: PlacedOrder, clients: Clients
) -> AsyncIterator[AIOKafkaConsumer]:
    """Place an order; yield what tells of its account, from the beginning."""
    topics, only = settings.topics, partition_key(placed.order.account)
    source = following(clients, [topics.watchlist], from_beginning=True, partition_key=only)
    async with source as records:
        async with appending(settings, clients) as appender:
            await placed.place(appender, topics.watch_requests)
        yield records


def _teller(placed: PlacedOrder, say: Callable[[str], None]) -> Callable[[], None]:
    """Return what says each step that was made, once."""
    shown = set[object]()

    def tell() -> None:
        for made in placed.made:
            if made not in shown:
                shown.add(made)
                say(one_line(f"{told(made.at)} {made.told}"))

    return tell


def situation_of(
    settings: Settings, wanted: Wanted, registration: Registration, placed: PlacedOrder
) -> Situation:
    """Return the situation that the poller has told of, judged by the configuration read here."""
    base = settings.http.public_url
    url = None if base is None else f"{base}/webhooks/{wanted.account}"
    now = utc_now().timestamp()
    return Situation(registration, placed.registered, placed.vitals, url, now)


def exit_code(placed: PlacedOrder, wanted: Wanted) -> int:
    """Return the exit code; what went wrong is told on standard error."""
    done = placed.done
    if done is not None and done.problem is None:
        return 0
    if done is not None:
        why = problem_of(placed)
    else:
        why = (
            f"{why_not(placed)}; if a poller can do it within an hour of now, it does;"
            f" 'payevents doctor --account {wanted.account}' looks for what is wrong"
        )
    typer.echo(printable(f"error: {why}"), err=True)
    return 1


def problem_of(placed: PlacedOrder) -> str | None:
    """Return what stood in the way of an order that is done, None if nothing did."""
    return None if placed.done is None else placed.done.problem


def why_not(placed: PlacedOrder) -> str:
    """Return why an order is not done."""
    if not placed.is_taken_up:
        return "no running poller has taken it up: look at 'payevents serve' and its /readyz"
    if placed.trouble is not None:
        return f"it cannot be done now: {placed.trouble}"
    open_until = placed.standing.open_until
    if open_until > utc_now().timestamp():
        return f"after failures the account's calls rest until {told(open_until)}"
    return "nothing was done for it in time: the account's budget of calls may be used up"


def _nothing(_: str) -> None:
    """Say nothing."""
