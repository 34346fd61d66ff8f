"""What an operator's order came to: the steps that were made, and what stood in the way."""

from collections.abc import Iterator

from receiver.registration.moves import steps_left
from receiver.registration.registered import Done
from receiver.registration.signs import Order
from receiver.registration.situation import Situation

_LONGEST = 500


def outcome(situation: Situation, order: Order) -> Done | None:
    """Return what an order came to, None while something can still be done for it."""
    if not _is_done(situation, order):
        return None
    made = situation.registered.made
    steps = tuple(each.told for each in made if each.at >= order.asked_at)
    problem = "; ".join(_troubles(situation, order, is_begun=bool(steps)))
    return Done(order.id, situation.now, steps, problem[:_LONGEST] or None)


def _is_done(situation: Situation, order: Order) -> bool:
    """Tell whether nothing more can be done for an order; a step that failed is not tried twice."""
    registered = situation.registered
    if situation.url is None and order.what != "list":
        return True
    if registered.listed_for != order.id:
        return False
    if order.what == "list":
        return True
    if any(one.call is not None for one in registered.topics.values()):
        return False
    if any(one.is_renewed and one.problem is None for one in registered.topics.values()):
        return False
    return not any(steps_left(situation, order)) and not any(situation.to_renew(order))


def _troubles(situation: Situation, order: Order, *, is_begun: bool) -> Iterator[str]:
    """Yield what kept an order from being carried out, each trouble once for all its topics."""
    if order.what == "list":
        return
    if situation.url is None:
        yield "http.public_url is not set, so there is no URL to register"
        return
    yield from _failures(situation, order, is_begun=is_begun)
    topics = situation.asked_topics(order)
    absent = [topic for topic in topics if situation.right(topic) is None]
    if order.what == "test" and absent:
        yield f"not registered to lead here: {', '.join(absent)}"
    taken = situation.plan(order).taken if order.what == "ensure" else ()
    if taken:
        others = ", ".join(f"{one.topic} leads to {one.url}" for one in taken)
        yield f"others have topics of this account, --take-over moves them here: {others}"


def _failures(situation: Situation, order: Order, *, is_begun: bool) -> Iterator[str]:
    topics_by_problem: dict[str, list[str]] = {}
    for topic, one in situation.registered.topics.items():
        if one.problem is not None and one.order == order.id:
            topics_by_problem.setdefault(one.problem, []).append(topic)
    for why, topics in topics_by_problem.items():
        if why == situation.registered.unreachable:
            nothing = "no more was changed" if is_begun else "nothing was changed"
            yield (
                f"{nothing}, since http.public_url does not answer from here ({why}): correct it,"
                " or set http.probe_public_url = false"
            )
        else:
            yield f"{', '.join(topics)}: {why}"
