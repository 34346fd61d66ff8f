"""A Kafka cluster of the test's own, whose nodes can be killed and frozen."""

import base64
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.download import kafka_libs, require_java
from tests.kafka.guard import GuardedGroup
from tests.kafka.node import Node, PortTakenError
from tests.kafka.ports import Ports, Way, free_ports
from tests.kafka.properties import server_properties
from tests.kafka.readiness import QUIET, complaint
from tests.kafka.security import OPEN, Security

JVM_FLAGS = ("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For tests: little memory, and a quick start."""

ROOMY_JVM_FLAGS = ("-Xms1g", "-Xmx1g", "-Xmn700m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For what is timed: with the others, a node under load stands still for some 25 ms each second,
while its young generation is collected."""

LOG_FLAGS = (
    # A dying node tells so much of its shutdown that the reason would not be in the log's tail.
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
START_ATTEMPTS = 5
READY_TIMEOUT = 60.0
"""Seconds within which started nodes must be ready."""

POLL_INTERVAL = 0.05
"""Seconds between two questions whether a node is ready."""


class NotReadyError(TimeoutError):
    """The cluster was not ready in time; the message says what was missing and shows the log."""


class Cluster:
    """Combined KRaft brokers and controllers on free ports, in a folder that goes with them.

    Every method blocks and is bound to no event loop; a test that must go on meanwhile calls it
    through `asyncio.to_thread`. Nodes are named by their ids, 0 to `nodes` - 1. All of them end
    with `stop`, or with the interpreter. Each node has `ways` listeners more, for clients that come
    by a proxy of the test, and one for each door of `security`. Nodes run with `jvm_flags`.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        ways: int = 0,
        security: Security = OPEN,
        jvm_flags: Sequence[str] = JVM_FLAGS,
        choose_ports: Callable[[int], list[int]] = free_ports,
    ) -> None:
        self._size = nodes
        self._ways = ways
        self._jvm_flags = jvm_flags
        self._security = security
        self._choose_ports = choose_ports
        self._resources = ExitStack()
        self._nodes: list[Node] = []
        self._ports: list[Ports] = []
        self._group = 0
        self._cluster_id = _new_cluster_id()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """Every node's address, as Kafka clients take it."""
        return ",".join(f"127.0.0.1:{ports.client}" for ports in self._ports)

    def address(self, node: int) -> str:
        """Return one node's address, as Kafka clients take it."""
        return f"127.0.0.1:{self._ports[node].client}"

    def door(self, name: str) -> str:
        """Return every node's address behind the door of this name, as Kafka clients take it."""
        number = [door.name for door in self._security.doors].index(name)
        return ",".join(f"127.0.0.1:{ports.doors[number]}" for ports in self._ports)

    def ways(self, number: int) -> list[Way]:
        """Return the ports of the way `number`, from 0, for each node."""
        return [ports.ways[number] for ports in self._ports]

    @property
    def controller(self) -> int:
        """The node that was elected controller last, as the running nodes know; -1 for none."""
        known = [node.elected() for node in self._nodes if node.running]
        return max(known, default=(-1, -1))[1]

    @property
    def running(self) -> list[int]:
        """The ids of the nodes that are neither killed nor paused."""
        return [node.node_id for node in self._nodes if node.running]

    def start(self) -> None:
        """Start every node and wait until each of them is ready.

        Raises MissingToolError, DownloadError, NodeDiedError or NotReadyError; no process is left
        then.
        """
        for attempt in range(1, START_ATTEMPTS + 1):
            try:
                self._format_and_launch()
                self.await_ready()
            except PortTakenError:
                self.stop()
                if attempt == START_ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End every node at once; their data goes with them."""
        self._resources.close()
        self._nodes, self._ports = [], []

    def kill(self, node: int) -> None:
        """End a node with SIGKILL and wait until it is gone; its port and data stay its own."""
        self._nodes[node].kill()

    def restart(self, *nodes: int) -> None:
        """Start killed nodes again, on their ports and data, and wait until they are ready.

        Nodes that cannot form a majority of the cluster alone are started together.
        """
        for node in nodes:
            self._nodes[node].launch(self._group)
        self.await_ready()

    def pause(self, node: int) -> None:
        """Freeze a node with SIGSTOP: its connections stay open and nobody answers."""
        self._nodes[node].pause()

    def resume(self, node: int) -> None:
        """Let a paused node go on, without waiting: it may not know yet that it was replaced."""
        self._nodes[node].resume()

    def thaw(self) -> None:
        """Let every paused node go on, without waiting."""
        for node in self._nodes:
            node.resume()

    def heal(self, timeout: float = READY_TIMEOUT) -> None:
        """Resume and restart whatever was paused or killed, and wait until all is ready.

        `timeout` is in seconds; raises as `await_ready`.
        """
        hurt = [node for node in self._nodes if not node.running]
        for node in hurt:
            node.resume()
            node.launch(self._group)
        if hurt:
            self.await_ready(timeout=timeout)
        for node in self._nodes:
            node.check()

    def create_topic(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic, replicated to every node, and wait until all running nodes know it."""
        client = AdminClient({"bootstrap.servers": self._living_servers, **QUIET})
        topic = NewTopic(name, partitions, self._size, config=dict(config or {}))
        client.create_topics([topic])[name].result()
        self.await_ready(topics=[name])

    def leader(self, topic: str, partition: int) -> int:
        """Return the node that leads a partition; raises KafkaException if none can be asked."""
        client = AdminClient({"bootstrap.servers": self._living_servers, **QUIET})
        metadata = client.list_topics(topic, timeout=READY_TIMEOUT)
        return int(metadata.topics[topic].partitions[partition].leader)

    @property
    def _living_servers(self) -> str:
        return ",".join(f"127.0.0.1:{self._ports[node].client}" for node in self.running)

    def await_ready(self, *, topics: Collection[str] = (), timeout: float = READY_TIMEOUT) -> None:
        """Wait until every running node says that the running nodes are complete and in sync.

        `timeout` is in seconds. Raises NodeDiedError as soon as a node ends by itself, and
        NotReadyError after the timeout.
        """
        deadline = time.monotonic() + timeout
        for node in self._nodes:
            while node.running:
                node.check()
                port = self._ports[node.node_id].client
                reason = complaint(port, self._cluster_id, self.running, topics)
                if reason is None:
                    break
                if time.monotonic() > deadline:
                    message = f"node {node.node_id}: {reason}; its log:\n{node.log_tail()}"
                    raise NotReadyError(message)
                time.sleep(POLL_INTERVAL)

    def _format_and_launch(self) -> None:
        java = [require_java(), *self._jvm_flags, *LOG_FLAGS, "-cp", f"{kafka_libs()}/*"]
        folder = Path(
            self._resources.enter_context(tempfile.TemporaryDirectory(prefix="payevents-kafka-"))
        )
        group = GuardedGroup()
        self._resources.callback(group.close)
        self._group = group.id
        doors = len(self._security.doors)
        each = 2 + doors + 2 * self._ways
        free = self._choose_ports(each * self._size)
        self._ports = [Ports.of(free[i : i + each], doors) for i in range(0, len(free), each)]
        for node_id in range(self._size):
            directory = folder / f"node-{node_id}"
            directory.mkdir()
            data = directory / "data"
            properties = server_properties(node_id, self._ports, data, self._security)
            (directory / "server.properties").write_text(properties)
            node = Node(node_id, directory, java)
            self._nodes.append(node)
            self._resources.callback(node.kill)
        for node in self._nodes:
            node.start_format(self._cluster_id, self._group)
        for node in self._nodes:
            node.finish_format()
            node.launch(self._group)


def _new_cluster_id() -> str:
    """Return a new id of 16 bytes that, unlike a random one, never begins with a dash."""
    unique = b"payevents-" + secrets.token_hex(3).encode()
    return base64.urlsafe_b64encode(unique).decode().rstrip("=")
