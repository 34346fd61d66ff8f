"""A simulated week: a shop lives at SmartPay's stand-in, and everything breaks now and then.

Two replicas run the real receiving, routing and polling over the simulated Kafka. Whatever befalls
them or the provider, in the end each fact that any answer showed is published exactly once.
"""
