"""What payevents knows: events, facts, ledger rules and the providers.

Everything here is pure: no sockets, no Kafka, no clock of its own. The machine that moves the
bytes is :mod:`receiver`.
"""
