"""How long acknowledged facts took to become readable."""

from tests.chaos.latency import Wait, measure


def test_the_longest_wait_names_its_event() -> None:
    """The longest wait is the one of the event that took longest, with the time of its 200."""
    latency = measure({"a": 10.0, "b": 20.0}, {"a": 10.5, "b": 23.0})
    assert latency.longest == Wait("b", 20.0, 3.0)


def test_quantiles_count_events() -> None:
    """99 of 100 events within a second: p99 tells of the hundredth, p50 of the others."""
    acknowledged = dict.fromkeys((str(number) for number in range(100)), 0.0)
    read = {**dict.fromkeys(acknowledged, 1.0), "99": 30.0}
    latency = measure(acknowledged, read)
    assert latency.quantile(0.5) == 1.0
    assert latency.quantile(0.99) == 30.0


def test_what_could_be_read_first_did_not_wait() -> None:
    """An event readable before its 200 came counts as no wait at all."""
    assert measure({"a": 10.0}, {"a": 9.0}).quantile(1.0) == 0.0


def test_what_was_never_read_is_left_out() -> None:
    """Without any event there is neither a longest wait nor a quantile."""
    latency = measure({"a": 10.0}, {})
    assert latency.longest is None
    assert latency.quantile(0.5) is None
