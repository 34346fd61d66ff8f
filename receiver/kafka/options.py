"""From the settings to aiokafka's options."""

import ssl
from typing import Any

from config.kafka import KafkaSettings
from receiver.kafka.clients import Clients, Timeouts


def clients_for(settings: KafkaSettings) -> Clients:
    """Return the maker of clients for the cluster in ``settings``.

    Raises:
        OSError: a certificate or key file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(settings)
    if settings.sasl_username is not None and settings.sasl_password is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return Clients(
        options,
        Timeouts(
            acknowledge=settings.ack_timeout.total_seconds(),
            session=settings.session_timeout.total_seconds(),
            transaction=settings.transaction_timeout.total_seconds(),
        ),
    )


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_cafile)
    if settings.ssl_certfile is not None:
        password = settings.ssl_password.get_secret_value() if settings.ssl_password else None
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password)
    return context
