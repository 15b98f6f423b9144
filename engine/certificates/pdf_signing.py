"""Signs PDFs with pyHanko, as PAdES certification signatures that allow no change."""

from __future__ import annotations

import io

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from engine.signing import keys
from engine.signing.models import Purpose

FIELD = "Community"


def sign(pdf: bytes, *, reason: str) -> bytes:
    """Returns the PDF with the community's signature, and the time by our own clock.

    Nothing is fetched: neither a time stamp nor revocation lists. Raises UnknownKeyError
    where another secret key sealed the signing key.
    """
    key = keys.current(Purpose.CERTIFICATE_PDF)
    private = keys.private_key(key).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    signer = signers.SimpleSigner(
        signing_cert=asn1_certificate(key.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        reason=reason,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    signed: bytes = signers.sign_pdf(writer, metadata, signer=signer).getvalue()
    return signed


def asn1_certificate(pem: str) -> asn1_x509.Certificate:
    """Returns a certificate as pyHanko takes it."""
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    return asn1_x509.Certificate.load(der)
