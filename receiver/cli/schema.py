"""``payevents schema``."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The contract with consumers, as documents for programs.")


@app.callback()
def _schema() -> None:
    """Keep ``export`` a word of its own, although it is the only one."""


@app.command()
def export(
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="Print the AsyncAPI document of the topics instead.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option(help="Write both documents into this folder.")
    ] = None,
) -> None:
    """Print the events' JSON Schema."""
    from handlers.schema import ASYNCAPI_FILE, EVENT_FILE, documents

    texts = documents()
    if directory is None:
        typer.echo(texts[ASYNCAPI_FILE if asyncapi else EVENT_FILE], nl=False)
        return
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, "utf-8")
        typer.echo(f"wrote {directory / name}")
