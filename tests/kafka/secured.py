"""A guarded cluster: TLS, signing in, and an authorizer; and who comes to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public all the same
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.kafka.cluster import Cluster
from tests.kafka.security import Door, Security
from tests.support.certificates import Certificate, authority, certify

SIGNING_IN = "SIGNING_IN"
"""The door with TLS behind which one signs in with a password."""
CERTIFIED = "CERTIFIED"
"""The door with TLS behind which one shows a certificate."""

USER, PASSWORD = "payevents", "a-password-of-the-tests"
KEY_PASSWORD = "the-key's-password"

_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
_LOGIN = "org.apache.kafka.common.security.{0}LoginModule required{1};"
_SCRAM = _LOGIN.format("scram.Scram", "")
_PLAIN = _LOGIN.format("plain.Plain", f' user_{USER}="{PASSWORD}"')


@dataclass(frozen=True, slots=True)
class Right:
    """What a user may do with whatever of a kind has a name that begins so."""

    resource: str
    prefix: str
    operation: str


@dataclass(frozen=True, slots=True)
class Secured:
    """A guarded cluster, and what its clients need."""

    cluster: Cluster
    trusted: Certificate
    ours: Certificate

    def settings(self, door: str = SIGNING_IN, **changes: str) -> str:
        """Return the lines of [kafka] with which one comes in; ``changes`` replace or add."""
        ways_in = {
            SIGNING_IN: {
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_username": USER,
                "sasl_password": PASSWORD,
            },
            CERTIFIED: {
                "security_protocol": "SSL",
                "ssl_certfile": str(self.ours.certfile),
                "ssl_keyfile": str(self.ours.keyfile),
                "ssl_password": KEY_PASSWORD,
            },
        }
        keys = {**ways_in[door], "ssl_cafile": str(self.trusted.certfile), **changes}
        return "\n".join(f'{key} = "{value}"' for key, value in keys.items() if value)

    def give(self, rights: Iterable[Right], principal: str = f"User:{USER}") -> None:
        """Give rights."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers})
        acls = [_acl(right, principal) for right in rights]
        for given in admin.create_acls(acls).values():
            given.result()

    def enrol(self) -> None:
        """Make the user known by its password, for both kinds of SCRAM."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers})
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            info = ScramCredentialInfo(mechanism, 4096)
            wanted = UserScramCredentialUpsertion(USER, info, PASSWORD.encode())
            for done in admin.alter_user_scram_credentials([wanted]).values():
                done.result()


def guarded(folder: Path) -> Secured:
    """Return a cluster that is not started yet, with all its certificates in ``folder``."""
    trusted = authority(folder, "authority")
    broker = certify(trusted, folder, "broker")
    store = folder / "broker-store.pem"
    store.write_bytes(broker.keyfile.read_bytes() + broker.certfile.read_bytes())
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(trusted.certfile),
    }
    signing_in = {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "plain.sasl.jaas.config": _PLAIN,
        "scram-sha-256.sasl.jaas.config": _SCRAM,
        "scram-sha-512.sasl.jaas.config": _SCRAM,
    }
    doors = (
        Door(SIGNING_IN, "SASL_SSL", {**tls, **signing_in}),
        Door(CERTIFIED, "SSL", {**tls, "ssl.client.auth": "required"}),
    )
    return Secured(
        Cluster(security=Security(doors, is_authorized=True)),
        trusted,
        certify(trusted, folder, USER, KEY_PASSWORD.encode()),
    )


def documented(text: str, written: str, prefix: str) -> list[Right]:
    """Return the rights that the `kafka-acls` lines in ``text`` give.

    Names that begin with ``written`` there begin with ``prefix`` here.
    """
    rights = []
    for command in re.findall(r"kafka-acls\.sh((?:[^\n]*\\\n)*[^\n]*)", text):
        named = re.search(r"--(topic|group|transactional-id) (\S+)", command)
        assert named is not None, command
        assert "--resource-pattern-type prefixed" in command
        assert named[2].startswith(written), command
        name = prefix + named[2].removeprefix(written)
        operations = re.findall(r"--operation (\w+)", command)
        rights += [Right(named[1], name, operation) for operation in operations]
    return rights


def _acl(right: Right, principal: str) -> AclBinding:
    operation = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", right.operation).upper()
    return AclBinding(
        _RESOURCES[right.resource],
        right.prefix,
        ResourcePatternType.PREFIXED,
        principal,
        "*",
        AclOperation[operation],
        AclPermissionType.ALLOW,
    )
