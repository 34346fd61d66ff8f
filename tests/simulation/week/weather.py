"""The weather: outages on both sides, from a seed."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from pydantic import SecretStr

from handlers.smartpay.topics import TOPICS
from receiver.sandbox.controls import ControlRefused
from tests.simulation.network import later
from tests.simulation.week.configuration import Configuration
from tests.simulation.week.front import Blockage, Front
from tests.simulation.week.plan import DAY, HOUR, MINUTE, REPLICAS, WeekPlan
from tests.simulation.week.smartpay import Ailment, SmartPay
from tests.simulation.world import World

Trouble: TypeAlias = Callable[[], str]
"""Has something begin, and end later by itself; returns what it is."""


@dataclass(slots=True)
class Weather:
    """Everything that can go wrong beside single requests to Kafka.

    ``hindrances`` are the times, from and to, in which reconciliation may not have been possible.
    """

    plan: WeekPlan
    world: World
    front: Front
    smartpay: SmartPay
    configuration: Configuration
    rng: Random
    hindrances: list[tuple[float, float]] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Have troubles come for as long as the shop is open, then clear up."""
        clock = asyncio.get_running_loop().time
        end = clock() + self.plan.seconds
        self._unblock()
        causes = {
            name: cause
            for name, cause in self._causes().items()
            if not self.plan.only or name in self.plan.only
        }
        weights = [weight for weight, _ in causes.values()]
        while (pause := self.rng.expovariate(self.plan.troubles / DAY)) + clock() < end:
            await asyncio.sleep(pause)
            [(name, (_, begin))] = self.rng.choices(list(causes.items()), weights)
            self.troubles[name] += 1
            self.world.trace.add("weather", f"{name}: {begin()}")
        await asyncio.sleep(max(0.0, end - clock()))
        self.clear()

    def clear(self) -> None:
        """End all that lasts."""
        self.front.blockage = self.smartpay.ailment = None
        self._set_key()
        self.world.heal()

    def _causes(self) -> dict[str, tuple[float, Trouble]]:
        """Return what may come, by its name: how often, and how it begins."""
        return {
            "blocked receivers": (4, self._block),
            "ailing API": (4, self._ail),
            "new key": (0.5, self._rotate_key),
            "Kafka away": (3, self._black_out),
            "crash": (5, self._crash),
            "freeze": (3, self._freeze),
            "replica cut off": (2, self._cut_off),
            "rebalance": (2, self._rebalance),
            "tokens expired": (3, lambda: self._cause("expire-token")),
            "webhook lost": (2, lambda: self._cause("lose-webhook", topic=self._topic())),
            "webhook disabled": (3, lambda: self._cause("disable-webhook", topic=self._topic())),
            "notifications lost": (3, lambda: self._cause("drop", count=self._few())),
            "rows that move": (3, lambda: self._cause("arrive-while-paging", pages=self._few())),
        }

    def _block(self) -> str:
        self.front.blockage = self.rng.choice(list(Blockage))

        what = f"receivers are {self.front.blockage}"
        return self._for_a_while(what, self._unblock, hinders=False)

    def _unblock(self) -> None:
        self.front.blockage = Blockage.CLOSED if self.plan.deaf else None

    def _ail(self) -> str:
        self.smartpay.ailment = self.rng.choice(list(Ailment))

        def recover() -> None:
            self.smartpay.ailment = None

        return self._for_a_while(f"the API is {self.smartpay.ailment}", recover)

    def _rotate_key(self) -> str:
        self.smartpay.cause("rotate-key")
        return self._for_a_while("SmartPay has a new key", self._set_key)

    def _set_key(self) -> None:
        """Have the operator set the key that holds now; what the old one signed still counts."""
        key = SecretStr(self.smartpay.sandbox._merchant.access.api_key)
        now = self.configuration.account
        if key != now.api_key:
            previous = [*now.previous_api_keys, now.api_key]
            self.configuration.change(
                now.model_copy(update={"api_key": key, "previous_api_keys": previous})
            )

    def _black_out(self) -> str:
        seconds = self.rng.uniform(MINUTE, HOUR)
        self._hinder(seconds)
        for name in REPLICAS:
            self.world.cut_off(name, seconds)
        return f"for {seconds:.0f} s"

    def _crash(self) -> str:
        self.world.crash(self.rng.choice(REPLICAS))
        return "a crash"

    def _freeze(self) -> str:
        seconds = self.rng.uniform(MINUTE, HOUR)
        self._hinder(seconds)
        self.world.freeze(self.rng.choice(REPLICAS), seconds)
        return f"for {seconds:.0f} s"

    def _cut_off(self) -> str:
        seconds = self.rng.uniform(MINUTE, HOUR)
        self._hinder(seconds)
        self.world.cut_off(self.rng.choice(REPLICAS), seconds)
        return f"for {seconds:.0f} s"

    def _rebalance(self) -> str:
        for group in self.world.cluster.groups.values():
            group.shake()
        return "a rebalance"

    def _topic(self) -> str:
        return self.rng.choice((*TOPICS, ""))

    def _few(self) -> str:
        return str(self.rng.randint(1, 5))

    def _cause(self, control: str, **arguments: str) -> str:
        try:
            shown = self.smartpay.cause(control, **arguments)
        except ControlRefused as error:
            shown = error
        return f"{control}: {shown}"

    def _for_a_while(self, what: str, end: Callable[[], None], *, hinders: bool = True) -> str:
        seconds = self.rng.choice((10 * MINUTE, HOUR, 6 * HOUR)) * self.rng.random()
        if hinders:
            self._hinder(seconds)
        later(seconds, end)
        return f"{what} for {seconds:.0f} s"

    def _hinder(self, seconds: float) -> None:
        """Note an outage: after one the next call is made late, by as much again and six hours."""
        begin = asyncio.get_running_loop().time()
        after = min(1.5 * seconds, 6 * HOUR)
        self.hindrances.append((begin, begin + seconds + after))
