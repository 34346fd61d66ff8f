"""Certificates for tests: an authority, and whoever it vouches for on this machine."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_VALID = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, and the files (PEM) that have them: ``keyfile`` has the key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certfile: Path
    keyfile: Path


def authority(folder: Path, name: str = "authority") -> Certificate:
    """Return a new authority, whose certificate is ``<name>.pem`` in ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _begun(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _written(certificate, key, folder / name, None)


def certify(
    issuer: Certificate, folder: Path, name: str, password: bytes | None = None
) -> Certificate:
    """Return a certificate for ``name`` on 127.0.0.1; its key is encrypted with ``password``."""
    key = ec.generate_private_key(ec.SECP256R1())
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        _begun(_named(name), issuer.certificate.subject, key)
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    return _written(certificate, key, folder / name, password)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID)
        .not_valid_after(now + _VALID)
    )


def _written(
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    path: Path,
    password: bytes | None,
) -> Certificate:
    certfile, keyfile = path.with_suffix(".pem"), path.with_suffix(".key")
    certfile.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    keyfile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    return Certificate(certificate, key, certfile, keyfile)
