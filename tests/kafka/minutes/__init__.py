"""Minutes of a shop under outages on both sides: the simulated week's counterpart in real time.

SmartPay's stand-in is as unkind as it can be set, two replicas run on Apache Kafka, and a seed says
what happens. In the end each fact is published exactly once.
"""
