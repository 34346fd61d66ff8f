"""One exposition of several workers."""

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from receiver.observability.alarm_metrics import AlarmCollector
from receiver.observability.alarms import Alarms
from receiver.workers.metrics import Merged, own_metrics
from tests.unit.receiver.workers.fakes import as_it_is


def alarms(*codes: str) -> Alarms:
    """Return alarms of these codes."""
    found = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for code in codes:
        found.sound("", code, why="it is", remedy="look")
    return found


def of_a_worker(accepted: int) -> bytes:
    """Return what a worker exposes that has answered so many webhooks."""
    registry = CollectorRegistry()
    registry.register(AlarmCollector(alarms("kafka-away")))
    webhooks = Counter("payevents_webhooks", "Webhooks.", ["account"], registry=registry)
    webhooks.labels('a "shop"\n').inc(accepted)
    Histogram("payevents_webhook_seconds", 'A "\\" in words.', registry=registry).observe(0.003)
    return generate_latest(registry)


def test_each_sample_says_which_worker_it_is_from() -> None:
    """What was there is there with one label more, so that sums over workers are what they were."""
    merged = Merged()
    merged.add_worker(0, of_a_worker(3))
    merged.add_worker(1, of_a_worker(4))
    found = {family.name: family for family in text_string_to_metric_families(_text(merged))}
    webhooks = {
        (sample.labels["account"], sample.labels["worker"]): sample.value
        for sample in found["payevents_webhooks"].samples
    }
    assert webhooks == {('a "shop"\n', "0"): 3.0, ('a "shop"\n', "1"): 4.0}
    one = {family.name: family for family in text_string_to_metric_families(_plain())}
    for name, family in one.items():
        assert (found[name].type, found[name].documentation) == (family.type, family.documentation)
        assert len(found[name].samples) == 2 * len(family.samples)


def test_a_family_is_told_once() -> None:
    """HELP and TYPE stand once, before all samples of the family: the format asks for that."""
    merged = Merged()
    merged.add(AlarmCollector(alarms("worker-1-down")).collect())
    merged.add_worker(0, of_a_worker(1))
    merged.add_worker(1, of_a_worker(1))
    lines = _text(merged).splitlines()
    heads = [line for line in lines if line.startswith("#")]
    assert len(heads) == len(set(heads))
    where = [number for number, line in enumerate(lines) if line.startswith("payevents_alarm{")]
    assert where == list(range(where[0], where[0] + 3))
    assert lines[where[0]] == 'payevents_alarm{account="",code="worker-1-down"} 1.0'
    assert lines[where[2]] == 'payevents_alarm{account="",code="kafka-away",worker="1"} 1.0'


def test_what_is_no_exposition_adds_nothing() -> None:
    """A half of an answer would look like the whole."""
    merged = Merged()
    with pytest.raises(ValueError, match=r"."):
        merged.add_worker(0, b"payevents_x 1.0\npayevents_y is no number\n")
    assert merged.exposition() == b""


def test_workers_are_counted_from_outside() -> None:
    """A worker that does not answer is down, and how often each was started again is told."""
    first, second = as_it_is(0), as_it_is(1)
    second.restarts = 3
    merged = Merged()
    merged.add(own_metrics([(first, True), (second, False)]))
    text = _text(merged)
    assert 'payevents_worker_up{worker="0"} 1.0' in text
    assert 'payevents_worker_up{worker="1"} 0.0' in text
    assert 'payevents_worker_restarts_total{worker="1"} 3.0' in text


def _text(merged: Merged) -> str:
    return merged.exposition().decode()


def _plain() -> str:
    return of_a_worker(1).decode()
