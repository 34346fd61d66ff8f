"""The group coordinator: members with sessions, eager rebalances, sticky assignments."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from aiokafka.errors import RebalanceInProgressError, UnknownMemberIdError

from tests.simulation.process import OUTSIDE

Joined: TypeAlias = tuple[str, int]
"""A member's id, and the generation."""


@dataclass(slots=True, eq=False)
class _Member:
    name: str
    session: float
    patience: float
    joining: "asyncio.Future[Joined] | None" = None
    expiry: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Group:
    """One group over one topic of so many partitions.

    ``owners`` is the last assignment: what is believed, not who is at work.
    """

    partitions: int
    tell: Callable[[str], None]
    owners: dict[int, str] = field(default_factory=dict)
    generation: int = 0
    _members: dict[str, _Member] = field(default_factory=dict)
    _rebalance: asyncio.TimerHandle | None = None
    _joins: int = 0

    def join(
        self, name: str | None, client: str, session: float, patience: float
    ) -> "asyncio.Future[Joined]":
        """Have a member join, or join again; done when the rebalance is.

        Raises:
            UnknownMemberIdError: its session has run out.
        """
        if name is None:
            self._joins += 1
            name = f"{client}#{self._joins}"
            self._members[name] = _Member(name, session, patience)
        member = self._known(name)
        self._stop_expiry(member)
        member.joining = joining = asyncio.get_running_loop().create_future()
        self._begin()
        self._complete_if_all_joined()
        return joining

    def sync(self, name: str, generation: int) -> frozenset[int]:
        """Return the partitions that are a member's own in this generation.

        Raises:
            UnknownMemberIdError: its session has run out.
            RebalanceInProgressError: it must join again.
        """
        if self.heartbeat(name, generation):
            raise RebalanceInProgressError
        return frozenset(p for p, owner in self.owners.items() if owner == name)

    def heartbeat(self, name: str, generation: int) -> bool:
        """Keep a member's session; tell whether it must join again.

        Raises:
            UnknownMemberIdError: its session has run out.
        """
        member = self._known(name)
        self._expect(member)
        return self._rebalance is not None or generation != self.generation

    def leave(self, name: str) -> None:
        """Take a member out."""
        member = self._members.pop(name, None)
        if member is not None:
            self._stop_expiry(member)
            self._after_departure()

    def shake(self) -> None:
        """Have everybody join again, for no reason."""
        if self._members:
            self._begin()

    def _known(self, name: str) -> _Member:
        if name not in self._members:
            raise UnknownMemberIdError
        return self._members[name]

    def _begin(self) -> None:
        """Begin a rebalance, unless one is under way; the most patient member decides how long."""
        if self._rebalance is None:
            patience = max(member.patience for member in self._members.values())
            self._rebalance = asyncio.get_running_loop().call_later(
                patience, self._complete, context=OUTSIDE
            )

    def _after_departure(self) -> None:
        if self._members:
            self._begin()
            self._complete_if_all_joined()

    def _complete_if_all_joined(self) -> None:
        if all(member.joining is not None for member in self._members.values()):
            self._complete()

    def _complete(self) -> None:
        if self._rebalance is not None:
            self._rebalance.cancel()
            self._rebalance = None
        for name in [name for name, m in self._members.items() if m.joining is None]:
            self._stop_expiry(self._members.pop(name))
        self.generation += 1
        self._assign()
        self.tell(f"generation {self.generation}: {dict(sorted(self.owners.items()))}")
        for member in self._members.values():
            joining, member.joining = member.joining, None
            self._expect(member)
            if joining is not None and not joining.done():
                joining.set_result((member.name, self.generation))

    def _assign(self) -> None:
        """Share the partitions out evenly; each stays where it was as far as that allows."""
        if not self._members:
            self.owners = {}
            return
        fair, rest = divmod(self.partitions, len(self._members))
        shares: dict[str, list[int]] = {name: [] for name in self._members}
        homeless = []
        for partition in range(self.partitions):
            share = shares.get(self.owners.get(partition, ""))
            if share is not None and len(share) < fair + (rest > 0):
                share.append(partition)
                rest -= len(share) > fair
            else:
                homeless.append(partition)
        for partition in homeless:
            min(shares.values(), key=len).append(partition)
        self.owners = {p: name for name, share in shares.items() for p in share}

    def _expect(self, member: _Member) -> None:
        self._stop_expiry(member)
        member.expiry = asyncio.get_running_loop().call_later(
            member.session, self._expire, member, context=OUTSIDE
        )

    def _expire(self, member: _Member) -> None:
        if self._members.get(member.name) is member and member.joining is None:
            self.tell(f"{member.name}: its session ran out")
            del self._members[member.name]
            self._after_departure()

    @staticmethod
    def _stop_expiry(member: _Member) -> None:
        if member.expiry is not None:
            member.expiry.cancel()
            member.expiry = None
