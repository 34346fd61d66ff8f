"""``payevents topics``."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import ConfigOption, JsonOption, fail, load_settings
from receiver.roles import Role

if TYPE_CHECKING:
    from config.settings import Settings
    from receiver.kafka.clients import Clients
    from receiver.kafka.topics import TopicState
    from receiver.shards.rewind import Rewound

app = typer.Typer(help="The topics: make them, compare them, give them more partitions.")


class _Reader(StrEnum):
    """The roles that have a position in an input."""

    ROUTE = Role.ROUTE.value
    POLL = Role.POLL.value


@app.command()
def create(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make the topics that are not there yet; those that are stay as they are.

    Ends with 1 if one of those loses records.
    """
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json
    from receiver.kafka.cleanup import remedies
    from receiver.kafka.topics import compare_topics, create_topics, wanted_topics

    settings = load_settings(config)
    specs = wanted_topics(settings)

    async def work(clients: "Clients") -> "tuple[list[str], list[TopicState]]":
        made = await create_topics(clients, specs)
        there = [spec for spec in specs if spec.name not in made]
        return made, await compare_topics(clients, there)

    made, there = run(settings, work)
    if json:
        print_json({"created": made, "there": [state.spec.name for state in there]})
    else:
        for name in made:
            typer.echo(f"created {name}")
        if there:
            typer.echo(f"{len(there)} were there already; 'payevents topics list' compares them")
    losing = remedies(there, settings.kafka.bootstrap_servers)
    if losing:
        raise fail("\nerror: ".join(losing))


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show every topic, and where the cluster differs from the configuration."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, print_table
    from receiver.kafka.cleanup import remedies
    from receiver.kafka.topics import advice, compare_topics, wanted_topics

    settings = load_settings(config)
    states = run(settings, lambda clients: compare_topics(clients, wanted_topics(settings)))
    rows: list[dict[str, object]] = [
        {
            "topic": state.spec.name,
            "exists": state.exists,
            "partitions": state.spec.partitions,
            "replication_factor": state.spec.replication_factor,
            "differences": state.differences,
        }
        for state in states
    ]
    if json:
        print_json({"topics": rows})
        return
    shown = [
        {
            "topic": row["topic"],
            "state": _shown(state),
        }
        for row, state in zip(rows, states, strict=True)
    ]
    print_table(shown, ["topic", "state"], "no topics")
    losing = remedies(states, settings.kafka.bootstrap_servers)
    for each in [*losing, *advice(settings, states)]:
        typer.echo(each, err=True)


@app.command()
def repartition(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only say how much there is to move, and how long that takes."
        ),
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Move to more partitions: as many as kafka.partitions, with routers and pollers stopped.

    Receivers may go on. It can be interrupted, and run again: it goes on where it stopped.
    """
    from receiver.cli.repartition import command

    command(load_settings(config), dry_run=dry_run, json=json)


@app.command()
def rewind(
    role: Annotated[
        _Reader, typer.Option(help="Whose input: the inbox (route) or the watch requests (poll).")
    ],
    partition: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Only this partition.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have the whole input handled again, after the cluster was restored from a backup.

    Of the inbox, the ledger drops what was published before; only the counts of dead letters rise.
    The watch requests are made again: what had ended, or was looked up, is asked about once more,
    and after a repartition a watch that was stopped may start again. Who is at work takes it up
    with the next record that comes.
    """
    from receiver.cli.output import print_json

    if not yes:
        raise fail("all that is kept of the input will be handled again: give --yes to do it")
    partitions = None if partition is None else [partition]
    rewound = _rewind(load_settings(config), Role(role), partitions)
    if json:
        rows = [{"partition": r.partition, "was": r.was, "now": r.now} for r in rewound]
        print_json({"rewound": rows})
        return
    for each in rewound:
        was = "the beginning" if each.was is None else each.was
        typer.echo(f"partition {each.partition}: from {was} to {each.now}")


def _rewind(
    settings: "Settings", role: Role, partitions: Sequence[int] | None
) -> "Sequence[Rewound]":
    from receiver.cli.kafka import run
    from receiver.pairs import pairs
    from receiver.shards.rewind import NoSuchPartition, rewind
    from receiver.shards.session import SessionLost
    from receiver.shards.table import BrokenTable

    async def work(clients: "Clients") -> "Sequence[Rewound]":
        try:
            return await rewind(clients, pairs(settings)[role].spec, partitions)
        except (BrokenTable, NoSuchPartition) as error:
            raise fail(str(error)) from None
        except SessionLost as error:
            raise fail(f"{error}: run it again") from None

    return run(settings, work)


def _shown(state: "TopicState") -> str:
    if state.exists:
        return "; ".join(state.differences) or "as wanted"
    return "HIDDEN" if state.is_hidden else "MISSING"
