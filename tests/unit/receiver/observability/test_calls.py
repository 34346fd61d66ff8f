"""What Prometheus is told of the requests to providers."""

from prometheus_client import CollectorRegistry

from receiver.observability.calls import Calls


def test_calls_are_counted_by_account_and_result() -> None:
    """Each sample is one account's requests that came to one status, or failed in one way."""
    registry, calls = CollectorRegistry(), Calls()
    registry.register(calls)
    for _ in range(2):
        calls.count("shop", 200)
    calls.count("shop", "TimeoutError")
    calls.count("club", 503)
    sample = registry.get_sample_value
    name = "payevents_provider_calls_total"
    assert sample(name, {"account": "shop", "result": "200"}) == 2
    assert sample(name, {"account": "shop", "result": "TimeoutError"}) == 1
    assert sample(name, {"account": "club", "result": "503"}) == 1
