"""``payevents doctor --account``: what is read and asked for it, with the service up or down."""

import asyncio

from config.settings import Settings
from handlers.clock import utc_now
from handlers.provider import Handler
from receiver.care.reading import read_account
from receiver.cli.context import accounts_of, handler_of
from receiver.cli.kafka import failure, run_quietly
from receiver.kafka.snapshot import SnapshotFailed
from receiver.observability.account_findings import examine_account
from receiver.observability.doctor import examine_settings
from receiver.observability.findings import Finding, Verdict
from receiver.observability.patient import Patient
from receiver.observability.reconciliation_findings import examine_reconciliation
from receiver.observability.webhook_findings import examine_webhooks, judge_public_url
from receiver.registration.reach import why_unreachable


def examine_one(settings: Settings, name: str) -> list[Finding]:
    """Return what is found at an account; the command ends if there is no such account."""
    handler = handler_of(accounts_of(settings), name)
    of_settings = [
        finding for finding in examine_settings(settings) if finding.subject == f"accounts.{name}"
    ]
    public_url = settings.http.public_url
    unreachable = _unreachable(handler, public_url)
    watchlist = settings.topics.watchlist
    try:
        records = run_quietly(settings, lambda clients: read_account(clients, watchlist, name))
    except SnapshotFailed as error:
        return [*of_settings, *_without_records(settings, handler, unreachable, error)]
    patient = Patient(handler, records, public_url, unreachable, utc_now().timestamp())
    return [
        *of_settings,
        *examine_account(patient),
        *examine_webhooks(patient),
        *examine_reconciliation(patient),
    ]


def _unreachable(handler: Handler, public_url: str | None) -> str | None:
    if handler.registration is None or public_url is None:
        return None
    return asyncio.run(why_unreachable(public_url))


def _without_records(
    settings: Settings, handler: Handler, unreachable: str | None, error: SnapshotFailed
) -> list[Finding]:
    """Return what can be said of an account without anything that the service has recorded."""
    told, remedy = failure(error.__cause__ or error, settings, str(error))
    found = [Finding("kafka", Verdict.WRONG, told, remedy)]
    unknown = "whether its credentials are valid, its clock, its calls, its polling"
    if handler.registration is not None:
        unknown += ", its registration and what proves it, its failures, webhooks, reconciliation"
        name, public_url = handler.account.name, settings.http.public_url
        found.append(judge_public_url(name, public_url, unreachable, None, is_known=False))
    told = f"not known, since what the service has recorded cannot be read: {unknown}"
    found.append(Finding(handler.account.name, Verdict.WARNING, told, "mend Kafka first"))
    return found
