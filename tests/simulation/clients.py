"""The real maker of clients, whose clients are simulated: their settings are the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.kafka.clients import Clients
from tests.simulation.consumer import SimulatedConsumer
from tests.simulation.member import SimulatedMember
from tests.simulation.network import Site
from tests.simulation.pace import Pace
from tests.simulation.producer import SimulatedProducer


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClients(Clients):
    """Clients of the simulated cluster for one process; ``sessions`` are those it has made."""

    site: Site
    sessions: list[SimulatedProducer]
    options: Mapping[str, Any]
    pace: Pace

    def _producer(self, **settings: Any) -> Any:
        producer = SimulatedProducer(self.site, **settings)
        if producer.transactional_id is not None:
            self.sessions.append(producer)
        return producer

    def _consumer(self, **settings: Any) -> Any:
        if settings["group_id"] is None:
            return SimulatedConsumer(self.site, **settings)
        return SimulatedMember(self.site, **{**settings, **self.pace.membership})
