"""Reads another server's certificate, for people to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.utils import timezone

NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of a certificate that people are shown. `fingerprint` is SHA-256."""

    names: tuple[str, ...]
    ends_at: datetime
    fingerprint: str

    @classmethod
    def of(cls, der: bytes) -> Certificate:
        """Reads a DER certificate. Raises ValueError."""
        read = x509.load_der_x509_certificate(der)
        fingerprint = read.fingerprint(hashes.SHA256()).hex()
        return cls(_names(read), read.not_valid_after_utc, fingerprint)

    @property
    def days_left(self) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.ends_at - timezone.now()) // timedelta(days=1)

    @property
    def shown_names(self) -> str:
        """The first few names, as text."""
        return ", ".join(self.names[:NAMES_SHOWN]) or "no name"


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    kind = x509.SubjectAlternativeName
    try:
        names = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))
