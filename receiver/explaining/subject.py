"""Whose story is told: the resource, or the bytes that name none, behind one inbox key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from handlers.fact import RANKS
from handlers.resource import ResourceKey, encode

UNKNOWN = "unknown"
"""The kind of what names no resource; its id is the SHA-256 of the bytes."""


class BadSubject(ValueError):
    """It names no resource; ``str()`` says how to."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one inbox key stands for: a resource, live and test alike. ``id`` is not encoded."""

    provider: str
    account: str
    kind: str
    id: str

    @property
    def inbox_key(self) -> str:
        """Return the key of its observations."""
        return self._resource(test=False).inbox_key

    @property
    def resources(self) -> tuple[ResourceKey, ...]:
        """Return the resources that its observations can be about: live and test, or none."""
        if self.kind == UNKNOWN:
            return ()
        return (self._resource(test=False), self._resource(test=True))

    def _resource(self, *, test: bool) -> ResourceKey:
        return ResourceKey(self.provider, self.account, self.kind, self.id, test)


def subjects_named(text: str, accounts: Iterable[tuple[str, str]]) -> list[Subject]:
    """Return whom ``text`` can mean: ``<kind>/<id>`` at any of ``accounts`` (provider and name).

    The id is encoded as in an event's ``subject``, or as the provider writes it: where both could
    be meant, both are returned.

    Raises:
        BadSubject: it has no kind that there is, or no id.
    """
    kind, _, written = text.partition("/")
    if kind not in RANKS and kind != UNKNOWN:
        kinds = ", ".join(RANKS)
        raise BadSubject(f"{text[:100]!r}: write <kind>/<id>, with one of the kinds {kinds}")
    if not written:
        raise BadSubject(f"{text[:100]!r} has no id: write <kind>/<id>")
    return [
        Subject(provider, account, kind, id_)
        for provider, account in accounts
        for id_ in _ids(written)
    ]


def subject_of(inbox_key: str) -> Subject:
    """Return whom an inbox key stands for.

    Raises:
        BadSubject: it is no inbox key.
    """
    parts = inbox_key.split("/")
    try:
        provider, account, kind, encoded = parts
    except ValueError:
        raise BadSubject(f"{inbox_key[:100]!r} is no inbox key") from None
    return Subject(provider, account, kind, unquote(encoded))


def _ids(written: str) -> Sequence[str]:
    decoded = unquote(written)
    is_encoded = decoded != written and encode(decoded) == written
    return (decoded, written) if is_encoded else (written,)
