"""The roles of a process."""

from enum import StrEnum


class Role(StrEnum):
    """What a process does; all of it by default."""

    RECEIVE = "receive"
    ROUTE = "route"
    POLL = "poll"


ALL_ROLES = frozenset(Role)
