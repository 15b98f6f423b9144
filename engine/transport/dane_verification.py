"""Verifies the certificates that a server sent against its TLSA records (RFC 7671)."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification

from engine.transport.dane import END_ENTITY, TRUST_ANCHOR, DanePolicy, TlsaRecord
from engine.transport.tls_attempts import ResultType

# Certificates of a chain that are looked at; TLS itself allows 100 kB of them.
MAX_CHAIN = 10
# What cryptography raises for a certificate that breaks the rules of X.509.
_MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_ENCODING_DER = 2  # _ssl.ENCODING_DER, before Python 3.13


class DaneError(Exception):
    """The certificate is none of those in the DNS. The message says what is wrong with it."""

    def __init__(
        self, reason: str, result: ResultType = ResultType.TLSA_INVALID
    ) -> None:
        super().__init__(reason)
        self.result = result


def chain_of(secured: ssl.SSLObject | ssl.SSLSocket) -> list[bytes]:
    """Returns the certificates that the server sent, its own first, as DER."""
    if hasattr(secured, "get_unverified_chain"):
        return list(secured.get_unverified_chain())
    # Before 3.13 only the inner object has it, in 3.10 and later.
    inner = cast(Any, secured)._sslobj
    sent = inner.get_unverified_chain() or ()
    return [one.public_bytes(_ENCODING_DER) for one in sent]


def verify(policy: DanePolicy, chain: Sequence[bytes]) -> str:
    """Returns which record the certificate matches. Raises DaneError.

    A record of the certificate itself counts whatever its names and dates (RFC 7672
    §3.1.1). One of an authority counts if the certificate comes from it, is for the host
    and is in date (§3.1.2).
    """
    if not chain:
        raise DaneError("it sent no certificate")
    read = _read(chain[:MAX_CHAIN])
    for record in policy.records:
        if record.usage == END_ENTITY and _matches(record, read[0]):
            return str(record)
    refusal = DaneError("no TLSA record in its DNS is for it")
    for record in policy.records:
        if record.usage != TRUST_ANCHOR:
            continue
        # Not the server's own: that would be usage 3 (RFC 7671 §5.2).
        for anchor in read[1:]:
            if _matches(record, anchor):
                try:
                    _verify_chain(policy.names, read, anchor)
                except DaneError as error:
                    refusal = error
                else:
                    return str(record)
    raise refusal


def _read(chain: Sequence[bytes]) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(one) for one in chain]
    except _MALFORMED as error:
        raise DaneError("it cannot be read") from error


def _matches(record: TlsaRecord, certificate: x509.Certificate) -> bool:
    """Compares as RFC 6698 §2.1 says: the certificate or its key, whole or its hash."""
    selected = (
        certificate.public_bytes(Encoding.DER)
        if record.selector == 0
        else _key_of(certificate)
    )
    match record.matching:
        case 1:
            selected = hashlib.sha256(selected).digest()
        case 2:
            selected = hashlib.sha512(selected).digest()
    return selected == record.data


def _key_of(certificate: x509.Certificate) -> bytes:
    """Returns the public key, or nothing for a kind of key that is not known."""
    try:
        key = certificate.public_key()
    except _MALFORMED:
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _verify_chain(
    names: Iterable[str], chain: Sequence[x509.Certificate], anchor: x509.Certificate
) -> None:
    """Raises DaneError where the server's certificate does not come from the anchor."""
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store([anchor]))
        .extension_policies(ca_policy=_authority(), ee_policy=_server())
    )
    for name in names:
        try:
            verifier = builder.build_server_verifier(x509.DNSName(name))
            verifier.verify(chain[0], list(chain[1:]))
        except (verification.VerificationError, *_MALFORMED):
            continue
        return
    raise _explained(names, chain[0])


def _authority() -> verification.ExtensionPolicy:
    """What an authority's certificate must have: it is nobody's but the zone owner's, so
    that the rules for public authorities do not bind it."""
    anyhow = verification.Criticality.AGNOSTIC
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, anyhow, None)
        .may_be_present(x509.KeyUsage, anyhow, _check_signs)
    )


def _check_signs(
    policy: verification.Policy,
    certificate: x509.Certificate,
    usage: x509.KeyUsage | None,
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("Its key may not sign certificates.")


def _server() -> verification.ExtensionPolicy:
    anyhow = verification.Criticality.AGNOSTIC
    return verification.ExtensionPolicy.permit_all().require_present(
        x509.SubjectAlternativeName, anyhow, None
    )


def _explained(names: Iterable[str], certificate: x509.Certificate) -> DaneError:
    """Returns in words why a certificate was refused that should be from the anchor."""
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        return DaneError("it has expired", ResultType.EXPIRED)
    if now < certificate.not_valid_before_utc:
        return DaneError("it is not valid yet", ResultType.EXPIRED)
    if names_of(certificate).isdisjoint(
        form for name in names for form in (name, f"*.{name.partition('.')[2]}")
    ):
        return DaneError("it is for another name", ResultType.WRONG_NAME)
    return DaneError(
        "it does not come from the authority that its DNS names",
        ResultType.NOT_TRUSTED,
    )


def names_of(certificate: x509.Certificate) -> set[str]:
    """Returns the DNS names of a certificate, none where they cannot be read."""
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (x509.ExtensionNotFound, *_MALFORMED):
        return set()
    return {name.casefold() for name in found.value.get_values_for_type(x509.DNSName)}
