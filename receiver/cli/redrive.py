"""``payevents dead-letters redrive``: sending, waiting for what becomes of it, and telling."""

from dataclasses import dataclass, field
from time import monotonic

import typer

from config.settings import Settings
from receiver.cli.kafka import appending, run
from receiver.cli.output import print_json, print_table, printable
from receiver.cli.progress import Screen
from receiver.dead_letters.awaiting import await_outcomes
from receiver.dead_letters.criteria import Criteria
from receiver.dead_letters.finding import Found, Listing, describe, find_letters
from receiver.dead_letters.outcome import Outcome, Outcomes, State, counted
from receiver.dead_letters.redriving import Pace, Redriven, refusals, unfound
from receiver.dead_letters.redriving import redrive as send
from receiver.kafka.clients import Clients
from receiver.kafka.following import following

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """Which letters, how many of them at most, how many a second, and how long to wait (or not)."""

    criteria: Criteria
    limit: int | None
    rate: float
    wait: float | None


@dataclass(frozen=True, slots=True)
class _Report:
    redriven: Redriven
    more: int
    outcomes: list[Outcome] | None = field(default=None)

    def in_state(self, state: State) -> list[Outcome]:
        return [outcome for outcome in self.outcomes or () if outcome.state is state]


@dataclass(frozen=True, slots=True)
class _DryRun:
    listing: Listing
    refused: dict[str, str]


def redrive(settings: Settings, plan: Plan, *, dry_run: bool, json: bool) -> int:
    """Redrive as planned, or with ``dry_run`` only show which letters; return the exit code."""
    if dry_run:
        would_be = run(settings, lambda clients: _would_be(settings, clients, plan))
        _show(would_be, json=json)
        return 1 if would_be.refused else 0
    report = run(settings, lambda clients: _redrive(settings, clients, plan))
    if json:
        _print_json(report)
    else:
        _tell(report)
    went_wrong = report.in_state(State.FAILED) or report.in_state(State.NOT_ROUTED)
    return 1 if report.redriven.refused or went_wrong else 0


async def _would_be(settings: Settings, clients: Clients, plan: Plan) -> _DryRun:
    chosen, _ = await _choose(settings, clients, plan)
    refused = refusals(chosen, _missing(plan, chosen))
    sent = [letter for letter in chosen if letter.id not in refused]
    listing = await describe(clients, settings.topics.dead_letters, sent, _SHOWN)
    return _DryRun(listing, refused)


async def _redrive(settings: Settings, clients: Clients, plan: Plan) -> _Report:
    topics = settings.topics
    chosen, more = await _choose(settings, clients, plan)
    missing = _missing(plan, chosen)
    # It follows from before the first is sent, so that no outcome can be missed.
    follower = following(clients, [topics.dead_letters], from_beginning=False)
    async with appending(settings, clients) as appender, follower as records:
        with Screen(transient=True) as screen:
            pace, progress = Pace(plan.rate, monotonic), screen.step("sent")
            redriven = await send(
                clients, appender, topics, chosen, pace, missing=missing, progress=progress
            )
        if plan.wait is None:
            return _Report(redriven, more)
        outcomes = Outcomes(redriven.sent)
        told = await await_outcomes(clients, topics, records, outcomes, plan.wait)
        return _Report(redriven, more, told)


async def _choose(settings: Settings, clients: Clients, plan: Plan) -> tuple[list[Found], int]:
    """Return the letters to redrive, and how many more match."""
    found = await find_letters(clients, settings.topics.dead_letters, plan.criteria)
    chosen = found[: plan.limit]
    return chosen, len(found) - len(chosen)


def _missing(plan: Plan, chosen: list[Found]) -> list[str]:
    """Return the ids asked for that there are not; with a limit, some are left out by intent."""
    return unfound(plan.criteria.ids, chosen) if plan.limit is None else []


def _show(would_be: _DryRun, *, json: bool) -> None:
    if json:
        print_json({"dry_run": True, **would_be.listing.as_json(), "refused": would_be.refused})
        return
    rows = [letter.as_json() for letter in would_be.listing.letters]
    print_table(rows, ["id", "account", "topic", "reason", "last_at"], "no letter matches")
    typer.echo(f"would be sent through the inbox again: {len(rows) + would_be.listing.more}")
    _tell_refused(would_be.refused)


def _print_json(report: _Report) -> None:
    told: dict[str, object] = {
        "redriven": report.redriven.ids,
        "refused": report.redriven.refused,
        "more": report.more,
    }
    if report.outcomes is not None:
        told["outcomes"] = [outcome.as_json() for outcome in report.outcomes]
    print_json(told)


def _tell(report: _Report) -> None:
    typer.echo(f"sent through the inbox again: {len(report.redriven.sent)}")
    if report.more:
        typer.echo(f"left by --limit: {report.more}")
    if report.outcomes:
        rows = [outcome.as_json() for outcome in report.outcomes]
        print_table(rows, ["id", "state", "reason", "detail"], "")
        typer.echo(counted(report.outcomes))
    _tell_refused(report.redriven.refused)


def _tell_refused(refused: dict[str, str]) -> None:
    for letter_id, why in refused.items():
        typer.echo(printable(f"error: {letter_id}: {why}"), err=True)
