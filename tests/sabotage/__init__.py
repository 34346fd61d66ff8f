"""Builds of payevents with one fault each, which the checkers must catch.

``python -m tests.sabotage NAME serve ...`` is the real command with that fault; ``NAME+NAME`` with
both.
"""
