"""What stood in the way of an order: each trouble once."""

from typing import Any

from handlers.smartpay.topics import TOPICS

from .stage import DOWN, ELSEWHERE, Stage

REFUSED = "GET http://127.0.0.1:1/livez: connection refused"


async def problem_of(stage: Stage, what: str, **changed: Any) -> str:
    """Carry an order out as far as that goes, and return what stood in the way."""
    stage.order(what, **changed)
    await stage.settle()
    (done,) = stage.registered.done
    return done.problem or ""


async def test_the_same_trouble_is_told_once() -> None:
    """All topics that have it are named together."""
    problem = await problem_of(Stage(status=DOWN), "ensure")
    assert problem.startswith(f"{', '.join(TOPICS)}: ")
    assert problem.count("200 OK") == 1


async def test_our_own_url_is_told_with_what_to_do() -> None:
    """It is no matter of topics, however many there are."""
    problem = await problem_of(Stage(unreachable=REFUSED), "ensure")
    assert problem == (
        f"nothing was changed, since http.public_url does not answer from here ({REFUSED}):"
        " correct it, or set http.probe_public_url = false"
    )


async def test_what_is_not_there_cannot_be_tested() -> None:
    """The topics that lead elsewhere, or nowhere, are named."""
    stage = Stage()
    stage.sandbox.subscribe(ELSEWHERE)
    problem = await problem_of(stage, "test", topics=TOPICS[:2])
    assert problem == f"not registered to lead here: {TOPICS[0]}, {TOPICS[1]}"


async def test_without_an_url_nothing_can_be_ordered_but_a_list() -> None:
    """Looking costs nothing and changes nothing."""
    assert "http.public_url" in await problem_of(Stage(public_url=None), "ensure")
    assert await problem_of(Stage(public_url=None), "list") == ""
