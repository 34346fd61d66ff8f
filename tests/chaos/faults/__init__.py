"""The faults. Each is a small class with a name, that a plan draws with details of chance."""

from tests.chaos.faults.base import Area, Fault, Targets
from tests.chaos.faults.brokers import (
    AllBrokersGone,
    BrokerFrozen,
    BrokerKilled,
    ControllerKilled,
    LedgerLeaderFrozen,
)
from tests.chaos.faults.machine import ClockBack, ClockForward, DiskFull
from tests.chaos.faults.network import NetworkCut, NetworkDelayed, NetworkReset
from tests.chaos.faults.services import Rebalances, ServiceFrozen, ServiceKilled, ServicesRolled

FAULTS: tuple[type[Fault], ...] = (
    BrokerKilled,
    AllBrokersGone,
    BrokerFrozen,
    LedgerLeaderFrozen,
    ControllerKilled,
    ServiceKilled,
    ServiceFrozen,
    ServicesRolled,
    Rebalances,
    NetworkCut,
    NetworkDelayed,
    NetworkReset,
    DiskFull,
    ClockForward,
    ClockBack,
)
"""Every kind of fault."""

__all__ = ["FAULTS", "Area", "Fault", "Targets"]
