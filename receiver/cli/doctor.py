"""``payevents doctor``."""

import os
from pathlib import Path

import typer
from aiokafka.errors import KafkaError

from config.loading import load
from config.problems import ConfigError
from config.settings import Settings
from handlers.clock import utc_now
from receiver.accounts.providers import installed_providers
from receiver.cli.account_doctor import examine_one
from receiver.cli.kafka import failure, run_quietly
from receiver.cli.output import print_json, printable
from receiver.observability.doctor import examine_cluster, examine_settings
from receiver.observability.findings import Finding, Verdict
from receiver.observability.spool_findings import examine_spool
from receiver.words import counted

_MARKS = {Verdict.OK: "ok     ", Verdict.WARNING: "warning", Verdict.WRONG: "WRONG  "}


def run(config: Path | None, account: str | None, *, json: bool) -> int:
    """Examine all, or one account; print what was found and return the exit code."""
    findings = _examine(config, account)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    if json:
        print_json({"ok": not wrong, "findings": [finding.as_json() for finding in findings]})
        return 1 if wrong else 0
    for finding in findings:
        remedy = f"\n         -> {finding.remedy}" if finding.remedy else ""
        typer.echo(
            printable(f"{_MARKS[finding.verdict]}  {finding.subject}: {finding.told}{remedy}")
        )
    is_wrong = counted(wrong, "thing is wrong", "things are wrong")
    typer.echo(is_wrong if wrong else "nothing is wrong")
    return 1 if wrong else 0


def _examine(config: Path | None, account: str | None) -> list[Finding]:
    models = {name: provider.settings for name, provider in installed_providers().items()}
    try:
        settings = load(config, os.environ, models)
    except ConfigError as error:
        return [
            Finding(p.where or "configuration", Verdict.WRONG, f"{p.what} ({p.source})", p.fix)
            for p in error.problems
        ]
    if account is not None:
        return examine_one(settings, account)
    return [*examine_settings(settings), *examine_spool(settings.spool), *_cluster(settings)]


def _cluster(settings: Settings) -> list[Finding]:
    try:
        return run_quietly(settings, lambda clients: examine_cluster(settings, clients, utc_now()))
    except (KafkaError, OSError, TimeoutError) as error:
        told, remedy = failure(error, settings, repr(error))
        return [Finding("kafka", Verdict.WRONG, told, remedy)]
