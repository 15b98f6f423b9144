"""The private certificate authority that issued our mail servers' certificate, if any."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings


def find() -> x509.Certificate | None:
    """Returns the authority's certificate, or None for a public authority.

    The authority is private if it is in POSTERN_TLS_CA_FILE: every mail server knows the
    public ones already.
    """
    ours = settings.POSTERN
    if not (ours.tls_ca_file and ours.tls_cert_file):
        return None
    leaf = _certificates(ours.tls_cert_file)[0]
    believed = _certificates(ours.tls_ca_file)
    return next((ca for ca in believed if _has_issued(ca, leaf)), None)


def pem(certificate: x509.Certificate) -> bytes:
    """Returns the certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> str:
    """Returns the SHA-256 fingerprint as openssl prints it: AB:CD:…"""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _has_issued(ca: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificates(path: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(Path(path).read_bytes())
