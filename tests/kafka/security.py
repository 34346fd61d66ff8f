"""What guards the doors of a test cluster: listeners with TLS and SASL, and an authorizer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Door:
    """One more listener of each node, with its security protocol and its own settings."""

    name: str
    protocol: str
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def properties(self) -> list[str]:
        """Return its settings as lines of `server.properties`."""
        prefix = f"listener.name.{self.name.lower()}."
        return [f"{prefix}{name}={value}" for name, value in self.settings.items()]


@dataclass(frozen=True, slots=True)
class Security:
    """The doors of a cluster, and whether those who come through them need leave to do anything.

    Whoever comes by the plain listener, as brokers and the tests' own clients do, may do all.
    """

    doors: tuple[Door, ...] = ()
    is_authorized: bool = False

    def properties(self) -> str:
        """Return the lines of `server.properties` that are the same for all nodes."""
        lines = [line for door in self.doors for line in door.properties()]
        if self.is_authorized:
            lines += [
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS",
            ]
        return "\n".join(lines)


OPEN = Security()
"""Everybody may come in, and do everything."""
