"""What is measured beside payevents: aiokafka with the same settings, and nothing around it."""

from aiokafka import AIOKafkaProducer


def transactional_producer(servers: str, transactional_id: str) -> AIOKafkaProducer:
    """Return a producer of transactions that has the settings of a shard's, not started yet."""
    return AIOKafkaProducer(
        bootstrap_servers=servers,
        transactional_id=transactional_id,
        acks="all",
        linger_ms=0,
        max_batch_size=1 << 20,
        retry_backoff_ms=20,
    )
