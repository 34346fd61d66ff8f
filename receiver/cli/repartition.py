"""``payevents topics repartition``: what it tells before, while and after it moves entries."""

from collections.abc import Sequence

import typer
from aiokafka.errors import KafkaError

from config.settings import Settings
from receiver.cli.context import fail
from receiver.cli.kafka import run
from receiver.cli.output import print_json
from receiver.cli.progress import Screen
from receiver.kafka.clients import Clients
from receiver.kafka.groups import members_of
from receiver.pairs import pairs
from receiver.shards.repartition.plan import Pair, Refused
from receiver.shards.repartition.run import Step, repartition
from receiver.shards.repartition.survey import Survey, survey
from receiver.shards.session import Fenced, SessionLost
from receiver.shards.table import BrokenTable

_AGAIN = "what was done is kept: run it again, and it goes on where it stopped"
_WORDS = {
    Step.MARK: "partitions marked",
    Step.MOVE: "entries moved",
    Step.FINISH: "partitions finished",
}


def command(settings: Settings, *, dry_run: bool, json: bool) -> None:
    """Survey, tell, and unless it is a dry run, do it; any failure ends with one line and 1."""
    with Screen() as screen:
        try:
            surveys, running = run(settings, lambda clients: _look(clients, settings, screen))
            _tell_plan(settings, surveys, running, dry_run=dry_run, json=json)
            if dry_run:
                return
            if all(each.done for each in surveys):
                _tell_end(settings, json=json)
                return
            if running:
                raise fail(
                    f"routers or pollers run: {'; '.join(running)}. Stop them; receivers may go on"
                    " (--roles receive). One that was killed is gone after kafka.session_timeout"
                )
            run(settings, lambda clients: _move(clients, surveys, screen))
        except KeyboardInterrupt:
            raise fail(f"interrupted; {_AGAIN}") from None
    _tell_end(settings, json=json)


async def _look(
    clients: Clients, settings: Settings, screen: Screen
) -> tuple[Sequence[Survey], Sequence[str]]:
    found = []
    all_pairs = pairs(settings).values()
    try:
        for pair in all_pairs:
            tell = screen.step(f"{pair.spec.table_topic}: partitions read")
            found.append(await survey(clients, pair, settings.kafka.partitions, tell))
    except Refused as refusal:
        raise fail(str(refusal)) from None
    return found, await members_of(clients, [pair.spec.group for pair in all_pairs])


async def _move(clients: Clients, surveys: Sequence[Survey], screen: Screen) -> None:
    def progress(pair: Pair, step: Step, done: int, of: int) -> None:
        screen.step(f"{pair.spec.table_topic}: {_WORDS[step]}")(done, of)

    try:
        for surveyed in surveys:
            await repartition(clients, surveyed, progress)
    except Fenced:
        raise fail(
            f"a router, a poller or another repartition was started meanwhile: stop it; {_AGAIN}"
        ) from None
    except (SessionLost, KafkaError, OSError, TimeoutError) as error:
        raise fail(f"{error}; {_AGAIN}") from None
    except BrokenTable as error:
        raise fail(f"{error}; see 'A shard refuses to work' in docs/operations.md") from None


def _tell_plan(
    settings: Settings,
    surveys: Sequence[Survey],
    running: Sequence[str],
    *,
    dry_run: bool,
    json: bool,
) -> None:
    if json:
        if dry_run:
            print_json(_plan(settings, surveys, running))
        return
    for each in surveys:
        if each.done:
            typer.echo(f"{each.pair.spec.table_topic}: nothing to move")
        else:
            typer.echo(
                f"{each.pair.spec.table_topic}: {each.entries} entries, {each.misplaced} of them to"
                f" move, about {each.estimate:.0f} seconds"
            )
    if dry_run and running:
        typer.echo(f"to be stopped first: {'; '.join(running)}")


def _plan(
    settings: Settings, surveys: Sequence[Survey], running: Sequence[str]
) -> dict[str, object]:
    tables = [
        {
            "input": each.pair.spec.input_topic,
            "table": each.pair.spec.table_topic,
            "input_partitions": each.counts.inputs,
            "table_partitions": each.counts.tables,
            "entries": each.entries,
            "to_move": each.misplaced,
            "seconds": round(each.estimate, 1),
            "done": each.done,
        }
        for each in surveys
    ]
    return {"partitions": settings.kafka.partitions, "tables": tables, "running": list(running)}


def _tell_end(settings: Settings, *, json: bool) -> None:
    if json:
        print_json({"partitions": settings.kafka.partitions, "done": True})
        return
    typer.echo(
        f"done: everything has {settings.kafka.partitions} partitions. Start the routers and"
        " pollers, all with this kafka.partitions"
    )
    typer.echo(
        "if kafka.event_partitions is not set, set it to the old number: the topics of events and"
        " dead letters keep theirs"
    )
