"""What Prometheus is told of the answers to webhooks."""

from prometheus_client import CollectorRegistry, generate_latest

from receiver.observability.answers import Answers


def test_answers_are_counted_by_account_and_status() -> None:
    """Each sample is one account's answers of one status."""
    registry, answers = CollectorRegistry(), Answers()
    registry.register(answers)
    for account, status in [("shop", 200), ("shop", 200), ("shop", 503), ("(none)", 404)]:
        answers.count(account, status, 0.1)
    sample = registry.get_sample_value
    assert sample("payevents_webhooks_total", {"account": "shop", "status": "200"}) == 2
    assert sample("payevents_webhooks_total", {"account": "shop", "status": "503"}) == 1
    assert sample("payevents_webhooks_total", {"account": "(none)", "status": "404"}) == 1
    assert [answers.total(status) for status in (200, 404, 500)] == [2, 1, 0]


def test_how_long_they_took_is_a_histogram() -> None:
    """Buckets are cumulative, a bound belongs to its bucket, and nothing is too slow to count."""
    registry, answers = CollectorRegistry(), Answers()
    registry.register(answers)
    for took in (0.0005, 0.001, 0.0011, 0.3, 60.0):
        answers.count("shop", 200, took)
    told = generate_latest(registry).decode()
    for line in (
        'payevents_webhook_seconds_bucket{le="0.001"} 2.0',
        'payevents_webhook_seconds_bucket{le="0.0025"} 3.0',
        'payevents_webhook_seconds_bucket{le="0.25"} 3.0',
        'payevents_webhook_seconds_bucket{le="0.5"} 4.0',
        'payevents_webhook_seconds_bucket{le="10.0"} 4.0',
        'payevents_webhook_seconds_bucket{le="+Inf"} 5.0',
        "payevents_webhook_seconds_count 5.0",
        "payevents_webhook_seconds_sum 60.3026",
    ):
        assert line in told.splitlines()
