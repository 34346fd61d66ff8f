"""A deterministic simulation: the real shards, memberships and appenders over a simulated Kafka.

Time is virtual and everything follows from one seed. Every request to Kafka is a point where a
process may crash or freeze, be fenced, or hear nothing, whether or not the request took effect.
"""
