"""Counts and names in sentences for people."""

from collections.abc import Collection
from itertools import islice


def counted(count: int, one: str, many: str = "") -> str:
    """Return ``count`` with what is counted: ``one``, or ``many`` of it, as a rule with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def listed(names: Collection[str], most: int) -> str:
    """Return the first ``most`` of the names, and how many more there are."""
    told = ", ".join(islice(names, most))
    more = len(names) - most
    return f"{told} and {more} more" if more > 0 else told
