"""One exposition out of those of all workers: each sample says which worker it is from."""

from collections.abc import Iterable, Iterator

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from receiver.workers.worker import Worker

LABEL = "worker"


class Merged(Collector):
    """Metrics from several places; a family that several have is told once, with all samples."""

    def __init__(self) -> None:
        self._families: dict[str, Metric] = {}

    def add(self, families: Iterable[Metric]) -> None:
        """Add families as they are."""
        for family in families:
            known = self._families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            known.samples += family.samples

    def add_worker(self, number: int, exposition: bytes) -> None:
        """Add what a worker exposes, in Prometheus' text format.

        Raises:
            ValueError: it is something else; nothing of it is added.
        """
        self.add(list(_labelled(number, exposition.decode())))

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families.values()

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self)


def _labelled(number: int, exposition: str) -> Iterator[Metric]:
    for family in text_string_to_metric_families(exposition):
        family.samples = [
            sample._replace(labels={**sample.labels, LABEL: str(number)})
            for sample in family.samples
        ]
        yield family


def own_metrics(workers: Iterable[tuple[Worker, bool]]) -> list[Metric]:
    """Return what is known of the workers from outside; of each, whether it answers just now."""
    up = GaugeMetricFamily("payevents_worker_up", "1 while a worker answers.", labels=[LABEL])
    restarts = CounterMetricFamily(
        "payevents_worker_restarts", "How often a worker was started again.", labels=[LABEL]
    )
    for worker, answers in workers:
        up.add_metric([str(worker.number)], float(answers))
        restarts.add_metric([str(worker.number)], worker.restarts)
    return [up, restarts]
