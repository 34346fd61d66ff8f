"""What stood in the way of an order, said once for all topics that it holds for."""

from collections.abc import Iterator, Mapping

from receiver.registration.registered import Done, Registered


def problem_in_short(registered: Registered, done: Done) -> str | None:
    """Return why an order could not be carried out, None if it was.

    Where topics have the same trouble it is told once, with what to do if it is our own URL.
    """
    if done.problem is None:
        return None
    problems = {
        topic: one.problem
        for topic, one in registered.topics.items()
        if one.problem is not None and one.order == done.order
    }
    at_length = "; ".join(f"{topic}: {why}" for topic, why in problems.items())
    is_all = bool(problems) and at_length.startswith(done.problem)
    if not is_all and not done.problem.startswith(f"{at_length}; "):
        # Something has changed since: what was written down then is what is true of the order.
        return done.problem
    rest = () if is_all else (done.problem.removeprefix(f"{at_length}; "),)
    is_begun = bool(done.steps)
    return "; ".join((*_sentences(problems, registered.unreachable, is_begun=is_begun), *rest))


def _sentences(
    problems: Mapping[str, str], unreachable: str | None, *, is_begun: bool
) -> Iterator[str]:
    topics_by_problem: dict[str, list[str]] = {}
    for topic, why in problems.items():
        topics_by_problem.setdefault(why, []).append(topic)
    for why, topics in topics_by_problem.items():
        if why == unreachable:
            nothing = "no more was changed" if is_begun else "nothing was changed"
            yield (
                f"{nothing}, since http.public_url does not answer from here ({why}): correct it,"
                " or set http.probe_public_url = false"
            )
        else:
            yield f"{', '.join(topics)}: {why}"
