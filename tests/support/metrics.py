"""The metrics that the service exports, and their labels."""

from prometheus_client import Counter

from config.settings import Settings
from receiver.machinery import Machinery
from receiver.service import Service
from receiver.workers.metrics import own_metrics


def exported() -> dict[str, tuple[str, ...]]:
    """Return the labels of each metric of a process with all roles, or of several workers.

    Of each as it declares them: there is a sample only once something has happened.
    """
    service = Service(Settings(), {})
    Machinery(service)
    counters = [each for each in vars(service.metrics).values() if isinstance(each, Counter)]
    labels = {family.name: each._labelnames for each in counters for family in each.describe()}
    found = {}
    for family in (*service.metrics.registry.collect(), *own_metrics([])):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        declared = labels.get(family.name)
        found[name] = tuple(family._labelnames if declared is None else declared)  # type: ignore[attr-defined]
    return found
