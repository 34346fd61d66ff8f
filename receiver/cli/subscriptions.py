"""What ``payevents webhooks`` shows: what is registered, what would be done, what was."""

import typer

from config.settings import Settings
from handlers.registration import Registration
from receiver.care.orders import PlacedOrder
from receiver.cli.ordering import (
    NO_URL,
    Wanted,
    carried_out,
    exit_code,
    problem_of,
    registration_of,
    situation_of,
    why_not,
)
from receiver.cli.output import one_line, print_json, print_table, printable
from receiver.observability.care_status import topic_as_json
from receiver.registration.condition import Condition, State, conditions, told
from receiver.registration.preview import preview
from receiver.registration.situation import Situation

_COLUMNS = ["topic", "state", "id", "url", "proven_at", "last_webhook_at"]


def show_list(settings: Settings, wanted: Wanted, *, json: bool) -> int:
    """Have the provider's list read and show it; return the exit code."""
    registration = registration_of(settings, wanted)
    placed = carried_out(settings, wanted, wanted.order("list"), is_quiet=json)
    situation = situation_of(settings, wanted, registration, placed)
    found = conditions(situation)
    others = _others(situation, found)
    if json:
        report = _report(wanted, situation, placed, found)
        print_json({**report, "others": others})
    elif situation.registered.listed_at is not None:
        # Without a poller what was recorded is the best there is; its time says how old it is.
        rows = [*(_with_budget(one, situation) for one in found), *others]
        print_table(rows, [*_COLUMNS, "undeliverable"], "the provider has no topics")
        typer.echo(f"as listed at {told(situation.registered.listed_at)}")
        if placed.done is not None:
            _tell_urls(situation)
    return exit_code(placed, wanted)


def ensure(settings: Settings, wanted: Wanted, *, dry_run: bool, json: bool) -> int:
    """Have all topics lead here, or with ``dry_run`` show the plan; return the exit code."""
    registration = registration_of(settings, wanted, needs_url=True)
    if dry_run:
        return _show_plan(settings, wanted, registration, json=json)
    return _do(settings, wanted, registration, json=json)


def probe(settings: Settings, wanted: Wanted, *, json: bool) -> int:
    """Have the provider call us and see that it arrives; return the exit code."""
    return _do(settings, wanted, registration_of(settings, wanted, needs_url=True), json=json)


def _do(settings: Settings, wanted: Wanted, registration: Registration, *, json: bool) -> int:
    placed = carried_out(settings, wanted, wanted.order(wanted.what), is_quiet=json)
    situation = situation_of(settings, wanted, registration, placed)
    chosen = wanted.topics or tuple(registration.topics)
    found = [one for one in conditions(situation) if one.topic in chosen]
    if json:
        print_json(_report(wanted, situation, placed, found))
    elif placed.done is not None:
        rows = [one.as_json() for one in found]
        print_table(rows, _COLUMNS, "the provider has no topics")
        typer.echo(_summary(found))
        _tell_urls(situation)
    return exit_code(placed, wanted)


def _show_plan(
    settings: Settings, wanted: Wanted, registration: Registration, *, json: bool
) -> int:
    placed = carried_out(settings, wanted, wanted.order("list"), is_quiet=json)
    situation = situation_of(settings, wanted, registration, placed)
    lines = preview(situation, wanted.order("ensure")) if placed.done else []
    changes = sum(line.is_change for line in lines)
    if json:
        report = _report(wanted, situation, placed, conditions(situation))
        plan = [line.as_json() for line in lines]
        print_json({**report, "dry_run": True, "changes": changes, "plan": plan})
    elif placed.done is not None:
        for line in lines:
            typer.echo(one_line(line.told))
        what = f"would be done: {changes}" if changes else "there is nothing to do"
        typer.echo(f"{what}; nothing was changed")
        _tell_urls(situation)
    return exit_code(placed, wanted)


def _summary(found: list[Condition]) -> str:
    proven = sum(one.state is State.PROVEN for one in found)
    if proven == len(found):
        return f"{proven} of {proven} topics lead here, and what we caused arrived"
    return f"{proven} of {len(found)} topics are proven"


def _with_budget(one: Condition, situation: Situation) -> dict[str, object]:
    budget = situation.failure_budget(one.topic)
    return {**one.as_json(), "undeliverable": f"at least {budget.at_least} of {budget.most}"}


def _others(situation: Situation, found: list[Condition]) -> list[dict[str, object]]:
    """Return the subscriptions that are none of the wanted ones."""
    shown = {one.subscription.id for one in found if one.subscription is not None}
    return [
        {
            "topic": one.topic,
            "state": "ours, not wanted" if one.id in situation.registered.ours else "another's",
            "id": one.id,
            "url": one.url,
        }
        for one in situation.subscriptions
        if one.id not in shown
    ]


def _report(
    wanted: Wanted, situation: Situation, placed: PlacedOrder, found: list[Condition]
) -> dict[str, object]:
    done = placed.done
    return {
        "account": wanted.account,
        "url": situation.url,
        "complete": done is not None and done.problem is None,
        "problem": why_not(placed) if done is None else problem_of(placed),
        "steps": [made.told for made in placed.made] if done is None else list(done.steps),
        "listed_at": told(situation.registered.listed_at),
        "topics": [topic_as_json(one, situation) for one in found],
    }


def _tell_urls(situation: Situation) -> None:
    """Say where the configuration read here is not that of the poller."""
    theirs = situation.registered.url
    if situation.url is None:
        typer.echo(f"note: {NO_URL}", err=True)
    elif theirs != situation.url:
        said = theirs or "none"
        typer.echo(
            printable(f"warning: the running poller has another http.public_url: {said}"), err=True
        )
    elif not situation.registration.managed:
        typer.echo("note: without manage_webhooks nobody keeps it so", err=True)
