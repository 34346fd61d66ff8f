"""Shards: a partition, its table in memory, and the fenced session in which both commit."""
