"""``payevents topics``."""

import typer

from receiver.cli.context import ConfigOption, JsonOption, load_settings

app = typer.Typer(help="The topics: make them, and see where the cluster differs.")


@app.command()
def create(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make the topics that are not there yet; those that are stay as they are."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json
    from receiver.kafka.topics import create_topics, wanted_topics

    settings = load_settings(config)
    specs = wanted_topics(settings)
    made = run(settings, lambda clients: create_topics(clients, specs))
    there = [spec.name for spec in specs if spec.name not in made]
    if json:
        print_json({"created": made, "there": there})
        return
    for name in made:
        typer.echo(f"created {name}")
    if there:
        typer.echo(f"{len(there)} were there already; 'payevents topics list' compares them")


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show every topic, and where the cluster differs from the configuration."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, print_table
    from receiver.kafka.topics import compare_topics, wanted_topics

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
            "state": "; ".join(state.differences) or "as wanted" if state.exists else "MISSING",
        }
        for row, state in zip(rows, states, strict=True)
    ]
    print_table(shown, ["topic", "state"], "no topics")
    if not all(state.exists for state in states):
        typer.echo("run 'payevents topics create' to make what is missing", err=True)
