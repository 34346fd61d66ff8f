"""File descriptors: as many as the connections need, and some kept back for everything else."""

import resource
from contextlib import suppress

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KEPT_BACK = 512
"""Descriptors for what is not a webhook's connection: Kafka, the spool, providers, operators."""


def connections_within_limits(wanted: int) -> int:
    """Return how many connections may be open: ``wanted``, or what the system leaves for them.

    Raises this process's soft limit on open files (RLIMIT_NOFILE) as far as that takes, at most to
    the hard limit. Where that is too low for all, half of it is kept back.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + KEPT_BACK
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):
            # Some systems refuse what their own hard limit allows.
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = max(soft - KEPT_BACK, soft // 2)
    log.warning("fewer connections than configured: open files are limited", most=most, limit=soft)
    return min(most, wanted)
