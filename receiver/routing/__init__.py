"""Routing: from an observation to events, ledger changes, look-ups and dead letters."""
