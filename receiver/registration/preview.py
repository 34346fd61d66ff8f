"""What an order would do at the provider, as a diff: nothing is called for it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from handlers.registration import Action
from receiver.registration.moves import may_change, steps_to_make
from receiver.registration.signs import Order
from receiver.registration.situation import Situation

_SIGNS = {Action.CREATE: "+", Action.DELETE: "-", Action.MODIFY: "~", Action.TEST: "?"}
_KEPT, _TAKEN = " ", "!"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diff.

    ``sign`` is ``+`` for what is created, ``-`` for what is deleted, ``~`` for what is modified,
    ``?`` for what is tested, ``!`` for what another has, and a space for what stays.
    """

    sign: str
    topic: str
    url: str
    why: str = ""

    @property
    def is_change(self) -> bool:
        """Tell whether something would be done at the provider."""
        return self.sign not in (_KEPT, _TAKEN)

    @property
    def told(self) -> str:
        """Return the line for people."""
        why = f"  ({self.why})" if self.why else ""
        return f"{self.sign} {self.topic} -> {self.url}{why}"

    def as_json(self) -> dict[str, str]:
        """Return the line for programs."""
        return asdict(self)


def preview(situation: Situation, order: Order) -> list[Line]:
    """Return what stays, what would be done for ``order``, and what another has, in this order."""
    made = [
        Line(_SIGNS[step.action], step.topic, step.url, step.why)
        for step in steps_to_make(situation, order)
    ]
    if may_change(situation, order):
        made += [line for topic in situation.to_renew(order) for line in _renewed(situation, topic)]
    changed = {line.topic for line in made}
    kept = [
        Line(_KEPT, topic, right.url)
        for topic in situation.registration.topics
        if topic not in changed and (right := situation.right(topic)) is not None
    ]
    taken = [
        Line(_TAKEN, one.topic, one.url, "another has it; --take-over moves it here")
        for one in situation.plan(order).taken
    ]
    return [*kept, *made, *taken]


def _renewed(situation: Situation, topic: str) -> Iterator[Line]:
    right = situation.right(topic)
    if right is not None:
        yield Line(_SIGNS[Action.DELETE], topic, right.url, "to be created anew")
        yield Line(_SIGNS[Action.CREATE], topic, right.url, "created anew, which enables it")
