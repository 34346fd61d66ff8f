"""What stood in the way of an order: each trouble once."""

from msgspec.structs import replace

from handlers.smartpay.topics import TOPICS
from receiver.registration.outcome import problem_in_short
from receiver.registration.registered import Done, Registered
from tests.unit.receiver.registration.shop import NOW, PROVEN

ORDER = "an-order"
REFUSED = "GET http://127.0.0.1:1/livez: connection refused"
_LONGEST = 300


def troubled(why: str, *topics: str, unreachable: str | None = None) -> Registered:
    """Return what is registered where these topics have a trouble that the order has met."""
    one = {topic: replace(PROVEN.of(topic), problem=why, order=ORDER) for topic in topics}
    return replace(PROVEN, topics={**PROVEN.topics, **one}, unreachable=unreachable)


def done(registered: Registered, *more: str, steps: tuple[str, ...] = ()) -> Done:
    """Return the outcome of the order, at the length at which it is kept."""
    each = [f"{topic}: {one.problem}" for topic, one in registered.topics.items() if one.problem]
    return Done(ORDER, NOW, steps, "; ".join([*each, *more])[:_LONGEST])


def test_the_same_trouble_is_told_once() -> None:
    """Topics that have it are named together; others keep theirs."""
    registered = troubled("too slow", *TOPICS[:2])
    other = replace(registered.of(TOPICS[2]), problem="it was refused", order=ORDER)
    registered = registered.with_topic(TOPICS[2], other)
    assert problem_in_short(registered, done(registered, "others have topics")) == (
        f"{TOPICS[0]}, {TOPICS[1]}: too slow; {TOPICS[2]}: it was refused; others have topics"
    )


def test_our_own_url_is_told_with_what_to_do() -> None:
    """It is no matter of topics, however many there are; whether something was changed is said."""
    registered = troubled(REFUSED, *TOPICS, unreachable=REFUSED)
    remedy = "correct it, or set http.probe_public_url = false"
    why = f"since http.public_url does not answer from here ({REFUSED}): {remedy}"
    assert problem_in_short(registered, done(registered)) == f"nothing was changed, {why}"
    begun = done(registered, steps=("create",))
    assert problem_in_short(registered, begun) == f"no more was changed, {why}"


def test_what_was_written_down_holds() -> None:
    """An order that was carried out has none, and what has changed since is not its outcome."""
    assert problem_in_short(PROVEN, Done(ORDER, NOW)) is None
    before = troubled("too slow", *TOPICS)
    assert problem_in_short(PROVEN, done(before)) == done(before).problem
    assert problem_in_short(troubled("new", *TOPICS), done(before)) == done(before).problem
