"""Registration: having a provider call our URL, and keeping it so.

A provider that calls webhooks is told where: a **subscription** has one topic notified to one URL.
What is subscribed is compared with what is wanted (:func:`plan`), and each difference is a
:class:`Step`, to be carried out one at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from handlers.exchange import Conversation, WatchFailed
from handlers.watching import Session

_DEFAULT_PORTS = {"http": 80, "https": 443}


class StepFailed(WatchFailed):
    """The provider did not do what a step asks for; ``str()`` has its words.

    Most often it called the URL and did not like the answer. To be tried again, but not soon.
    """


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic that the provider notifies to a URL, under the provider's id for it."""

    id: str
    topic: str
    url: str


class Action(StrEnum):
    """What a step does at the provider."""

    CREATE = "create"
    MODIFY = "modify"
    DELETE = "delete"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Step:
    """One call that changes or tries a subscription.

    ``url`` is where it leads when the step is done, or led before it was deleted. ``id`` is that
    of the subscription, None where it is yet to be created. ``why`` is for people.
    """

    action: Action
    topic: str
    url: str
    id: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order; ``taken`` are topics that others have, not to be touched unasked."""

    steps: tuple[Step, ...]
    taken: tuple[Subscription, ...] = ()


class Registration(Protocol):
    """How one account's subscriptions are seen and changed at its provider."""

    @property
    def topics(self) -> Sequence[str]:
        """Return the topics that should be subscribed."""

    @property
    def managed(self) -> bool:
        """Return whether payevents is to keep them subscribed by itself."""

    @property
    def check_interval(self) -> timedelta:
        """Return how often the subscriptions are looked at."""

    @property
    def can_test(self) -> bool:
        """Return whether the provider can be asked for a test notification."""

    @property
    def most_undeliverable(self) -> int:
        """Return how many undeliverable notifications make the provider disable a subscription."""

    def read(self, session: Session) -> Conversation[tuple[Subscription, ...]]:
        """Read all subscriptions of the account, ours and others'.

        Raises:
            ProviderFailure: as its subclasses say.

        """

    def carry_out(self, step: Step, session: Session) -> Conversation[str]:
        """Carry out a step; return the id of the subscription that it was about.

        Creating and modifying make the provider call the URL before it answers.

        Raises:
            StepFailed: the provider refuses this step.
            ProviderFailure: as its other subclasses say.

        """


def plan(
    topics: Sequence[str],
    url: str,
    listed: Sequence[Subscription],
    ours: Collection[str],
    *,
    take_over: bool = False,
) -> Plan:
    """Return the steps from what is ``listed`` to each of ``topics`` notified to ``url``, once.

    Ours is what leads to ``url`` or has an id in ``ours``, those that we once made or moved; with
    ``take_over`` also a topic that another has. Deleted, last, so that nothing is without a webhook
    meanwhile, is what is ours and not wanted: a second one of a topic, and any other topic that we
    made. A further topic that somebody else leads to ``url`` is meant, and stays.
    """
    by_id = {one.id: one for one in listed}
    steps: list[Step] = []
    stale: list[Subscription] = []
    taken: list[Subscription] = []
    for topic in dict.fromkeys(topics):
        of_topic = [one for one in by_id.values() if one.topic == topic]
        # The one that leads to the URL is better than one to be moved, ours better than another's.
        mine = [one for one in of_topic if leads_to(one.url, url) or one.id in ours]
        mine.sort(key=lambda one: (not leads_to(one.url, url), one.id not in ours))
        kept = next(iter([*mine, *(of_topic if take_over else [])]), None)
        if kept is None:
            # A topic can be subscribed only once: creating another would be refused.
            taken += of_topic
            if not of_topic:
                steps.append(Step(Action.CREATE, topic, url, why="it is not subscribed"))
        elif not leads_to(kept.url, url):
            why = f"it leads to {kept.url or 'nowhere'}"
            steps.append(Step(Action.MODIFY, topic, url, kept.id, why))
        stale += [one for one in mine if one is not kept]
    stale += [one for one in by_id.values() if one.topic not in topics and one.id in ours]
    steps += [
        Step(Action.DELETE, one.topic, one.url, one.id, "it is ours and not wanted")
        for one in stale
    ]
    return Plan(tuple(steps), tuple(taken))


def leads_to(url: str, wanted: str) -> bool:
    """Tell whether a subscription's URL is the wanted one: only a path tells capitals apart.

    Source: RFC 3986, 6.2.2.1 and 6.2.3. A provider may store a URL so normalised; moving it would
    then be in vain, again and again. A slash at the end of a path is another path.
    """
    return url == wanted or _normal(url) == _normal(wanted)


def _normal(url: str) -> tuple[str | int | None, ...]:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    return parts.scheme, parts.hostname, port, parts.path, parts.query
