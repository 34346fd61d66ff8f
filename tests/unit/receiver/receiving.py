"""A whole receiver while Kafka is away."""

from pathlib import Path

from config.listeners import AdminSettings, HttpSettings
from config.machine import SpoolSettings
from config.settings import Settings
from handlers.smartpay import provider
from handlers.smartpay.settings import SmartPaySettings
from receiver.kafka.clients import Clients
from receiver.roles import Role
from receiver.service import Service


def receiver(folder: Path, port: int = 0) -> Service:
    """Return a receiver with the SmartPay account "shop" of key "k", and a spool in ``folder``."""
    shop = SmartPaySettings.model_validate({"name": "shop", "api_key": "k"})
    settings = Settings(
        http=HttpSettings(host="127.0.0.1", port=port),
        admin=AdminSettings(port=0),
        spool=SpoolSettings(directory=folder),
        accounts={"shop": shop},
    )
    # Nobody listens there: the spool takes all.
    clients = Clients({"bootstrap_servers": "127.0.0.1:1"})
    roles = frozenset({Role.RECEIVE})
    return Service(settings, {"smartpay": provider}, roles=roles, clients=clients)
