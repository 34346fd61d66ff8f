"""Noticing a commit that had to be asked for twice.

aiokafka asks again when no answer comes. The first asking may still be on its way, and nothing in
it says which transaction it ends: it would commit a later one of the same session in its middle.
"""

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.protocol.transaction import EndTxnRequest


class UnansweredEnds:
    """Watches the requests of a producer; ``any`` tells whether one to end a transaction was lost.

    It replaces ``client.send``, through which aiokafka's sender makes all its requests: the pinned
    version and tests/unit/receiver/shards/test_unanswered.py hold that.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.any = False
        client = producer.client
        send = client.send

        async def watched(node_id: int, request: object, **options: object) -> object:
            try:
                return await send(node_id, request, **options)
            except NodeNotReadyError:
                # Nothing was sent.
                raise
            except KafkaError:
                self.any = self.any or isinstance(request, EndTxnRequest)
                raise

        client.send = watched
