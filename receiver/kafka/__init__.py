"""Kafka: sessions, tables, shards and membership, with aiokafka kept to this folder."""
