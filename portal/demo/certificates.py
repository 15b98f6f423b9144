"""A private certificate authority for development and tests, never for production."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.secrets import state_folder

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397
RENEW_DAYS = 30

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM files."""

    cert_file: Path
    key_file: Path


class Authority:
    """An authority whose files are in `folder`, created there if necessary.

    `ca_file` is its certificate, which peers must trust.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        if not self.ca_file.exists():
            state_folder.make_private_folder(folder)
            self._make()

    def issue(self, *names: str, kept_as: str = "") -> Certificate:
        """Issues a certificate for host names and IP addresses.

        Its files are named `kept_as`, or after the first name. An existing certificate
        for the same names is reused until RENEW_DAYS before it expires.
        """
        stem = kept_as or names[0]
        kept = Certificate(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        if not _is_good(kept.cert_file, names):
            key = ec.generate_private_key(ec.SECP256R1())
            state_folder.write_atomically(kept.key_file, _pem_of(key))
            state_folder.write_atomically(
                kept.cert_file, _pem_of(self._sign(key, names))
            )
        return kept

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _subject("Postern development authority")
        made = (
            _builder(name, name, key, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        state_folder.write_atomically(self._key_file, _pem_of(key))
        state_folder.write_atomically(self.ca_file, _pem_of(made))

    def _sign(self, key: Key, names: tuple[str, ...]) -> x509.Certificate:
        authority = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        authority_key = serialization.load_pem_private_key(
            self._key_file.read_bytes(), None
        )
        if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key_file} does not hold the authority's key.")
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            authority_key.public_key()
        )
        return (
            _builder(_subject(names[0]), authority.subject, key, CERTIFICATE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(_alternatives(names), critical=False)
            .add_extension(identifier, critical=False)
            .sign(authority_key, hashes.SHA256())
        )


def _is_good(cert_file: Path, names: tuple[str, ...]) -> bool:
    if not cert_file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    kept = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return left > dt.timedelta(days=RENEW_DAYS) and kept.value == _alternatives(names)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Valid from an hour ago, for peers whose clock is slow.
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem_of(thing: x509.Certificate | Key) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
