"""The `server.properties` of test nodes, tuned for a fast start and fast failover."""

from collections.abc import Sequence
from pathlib import Path

from tests.kafka.ports import Ports
from tests.kafka.security import OPEN, Security

TEMPLATE = """\
process.roles=broker,controller
node.id={node_id}
listeners=PLAINTEXT://127.0.0.1:{ports.client},CONTROLLER://127.0.0.1:{ports.controller}{doors}{backs}
advertised.listeners=PLAINTEXT://127.0.0.1:{ports.client}{doors}{fronts}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{door_protocols}{protocols}
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
log.dirs={log_dir}

auto.create.topics.enable=false
default.replication.factor={nodes}
min.insync.replicas={min_isr}
offsets.topic.replication.factor={nodes}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={nodes}
transaction.state.log.min.isr={min_isr}
transaction.state.log.num.partitions=8

# A dead or frozen node loses its leaderships, and a killed one may register again, only when its
# session has ended.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500

# The default sets aside 128 MiB of a small heap.
log.cleaner.dedupe.buffer.size=4194304

{security}
"""


def server_properties(
    node_id: int, ports: Sequence[Ports], log_dir: Path, security: Security = OPEN
) -> str:
    """Return the properties of one combined broker and controller.

    `ports` are those of all nodes of the cluster, by node id; topics are replicated to all of
    them, and of more than one node, one may be missing.
    """
    ways = list(enumerate(ports[node_id].ways))
    doors = list(zip(security.doors, ports[node_id].doors, strict=True))
    return TEMPLATE.format(
        node_id=node_id,
        ports=ports[node_id],
        doors="".join(f",{door.name}://127.0.0.1:{port}" for door, port in doors),
        door_protocols="".join(f",{door.name}:{door.protocol}" for door in security.doors),
        backs="".join(f",WAY{i}://127.0.0.1:{way.back}" for i, way in ways),
        fronts="".join(f",WAY{i}://127.0.0.1:{way.front}" for i, way in ways),
        protocols="".join(f",WAY{i}:PLAINTEXT" for i, _ in ways),
        voters=",".join(f"{i}@127.0.0.1:{each.controller}" for i, each in enumerate(ports)),
        log_dir=log_dir,
        nodes=len(ports),
        min_isr=max(1, len(ports) - 1),
        security=security.properties(),
    )
