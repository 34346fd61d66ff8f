"""Why a cluster cannot be reached: aiokafka tells only that it could not, whatever was wrong."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from receiver.kafka.clients import Clients
from receiver.kafka.strays import strays_are_errors

_WITHIN: Final = 5.0
"""Seconds for a broker to answer in."""

_RUNS = "check that it runs, and kafka.bootstrap_servers in the configuration"
_PROTOCOL = "check kafka.security_protocol, and the port in kafka.bootstrap_servers"
_CERTIFICATE = ", and kafka.ssl_certfile, for which it may ask"
_NOT_OURS: Final = ("bootstrap_servers", "client_id")
"""Options that are a client's, and not a connection's."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps us from a broker, and what to do about it.

    Of several ``weight`` orders them: whatever a broker says itself tells more than that another
    one is silent.
    """

    weight: int
    why: str
    remedy: str


async def obstacle(clients: Clients) -> Obstacle | None:
    """Ask each of the brokers asked first; return what tells most, None if one of them answers."""
    options = dict(clients.options)
    hosts = collect_hosts(options["bootstrap_servers"], randomize=False)
    connecting = {name: value for name, value in options.items() if name not in _NOT_OURS}
    found = await asyncio.gather(*(_at(host, port, connecting) for host, port, _ in hosts))
    met = [each for each in found if each is not None]
    if not met or len(met) < len(found):
        return None
    first = max(met, key=lambda each: each.weight)
    alike = dict.fromkeys(each.why for each in met if each.weight == first.weight)
    return replace(first, why="; ".join(alike))


async def _at(host: str, port: int, options: Mapping[str, Any]) -> Obstacle | None:
    where = f"{host}:{port}"
    try:
        with strays_are_errors():
            async with asyncio.timeout(_WITHIN):
                await _ask(host, port, options)
    except Exception as error:  # noqa: BLE001 - whatever it is, it keeps us out
        return _named(error, where, options)
    return None


async def _ask(host: str, port: int, options: Mapping[str, Any]) -> None:
    connection = await create_conn(host, port, request_timeout_ms=round(_WITHIN * 1000), **options)
    try:
        # A broker that wants more than it was given tells so at the first question.
        await connection.send(MetadataRequest([]))
    finally:
        with suppress(KafkaError):
            connection.close()


def _named(error: BaseException, where: str, options: Mapping[str, Any]) -> Obstacle:
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            told = "check kafka.sasl_username, kafka.sasl_password and kafka.sasl_mechanism"
            return Obstacle(5, f"{where} refuses the user or the password", told)
        case UnsupportedSaslMechanismError() | IllegalSaslStateError():
            mechanism = options.get("sasl_mechanism")
            told = "check kafka.sasl_mechanism and kafka.security_protocol"
            return Obstacle(5, f"{where} takes nobody by {mechanism}", told)
        case ssl.SSLError():
            return _tls(error, where)
        case socket.gaierror():
            return Obstacle(1, f"there is no host {where.rpartition(':')[0]}", _RUNS)
        case ConnectionRefusedError():
            return Obstacle(1, f"nobody listens at {where}", _RUNS)
        case TimeoutError():
            return Obstacle(1, f"{where} does not answer", _RUNS)
        case KafkaError() | ConnectionError():
            told = f"{_PROTOCOL}{_CERTIFICATE if 'ssl_context' in options else ''}"
            return Obstacle(2, f"{where} hangs up", told)
        case _:
            return Obstacle(1, f"{where} cannot be reached ({error!r})", _RUNS)


def _tls(error: ssl.SSLError, where: str) -> Obstacle:
    match error:
        case ssl.SSLCertVerificationError(verify_code=62 | 64):
            # OpenSSL's codes for a host and for an address that the certificate does not name.
            told = "name it in kafka.bootstrap_servers as its certificate does"
            return Obstacle(4, f"{where} is not what it is called ({error.verify_message})", told)
        case ssl.SSLCertVerificationError():
            told = "set kafka.ssl_cafile to the certificate of its authority"
            return Obstacle(4, f"{where} is not trusted ({error.verify_message})", told)
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "RECORD_LAYER_FAILURE"):
            return Obstacle(3, f"{where} speaks no TLS", _PROTOCOL)
        case _:
            told = "check kafka.ssl_certfile and kafka.ssl_keyfile, for which it may ask"
            return Obstacle(4, f"{where} and we agree on no TLS ({error.reason})", told)
