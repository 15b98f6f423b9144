"""Verifies signed PDFs: no PDF is parsed before its signature is known to be ours.

The public page takes files from strangers, and a PDF parser is a large target. So the one
signature of our own files is first found and verified by its octets alone
(`_signed_by`): it must cover the whole file. Only then, for a file that this service wrote
itself, does pyHanko read the PDF and give the verdict. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_public_key,
)
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext

from engine.certificates import pdf_signing
from engine.certificates.errors import CHANGED, NOT_OURS, UNKNOWN, NotVerifiedError
from engine.certificates.published_keys import PublishedKey
from engine.signing.models import Purpose

# As pyHanko writes it: where the two signed parts begin, and how long they are.
BYTE_RANGE = re.compile(rb"/ByteRange \[(\d{1,9}) (\d{1,9}) (\d{1,9}) (\d{1,9})\]")
MAX_SIGNATURE = 32 * 1024  # hexadecimal digits
# One spelling, so that none of its octets can change.
HEXADECIMAL = re.compile(rb"<((?:[0-9A-F]{2})+)>")


class SignedPdf(NamedTuple):
    """A PDF whose signature is right: the key, and the certificate as JSON inside."""

    key: PublishedKey
    attached: bytes


def verify(file: bytes, known: Sequence[PublishedKey]) -> SignedPdf:
    """Verifies a PDF. Raises NotVerifiedError."""
    key = _signed_by(file, [key for key in known if key.certificate])
    trusted = ValidationContext(
        trust_roots=[pdf_signing.asn1_certificate(key.certificate)],
        allow_fetching=False,
    )
    try:
        reader = PdfFileReader(io.BytesIO(file))
        [signature] = reader.embedded_signatures
        status = validate_pdf_signature(signature, trusted)
        is_whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
        is_same = status.modification_level == ModificationLevel.NONE
        if not (status.bottom_line and is_whole and is_same):
            raise NotVerifiedError(CHANGED)
        return SignedPdf(key, _attached(reader))
    except (PdfError, SigningError, SignatureValidationError, ValueError) as error:
        raise NotVerifiedError(CHANGED) from error


def _attached(reader: PdfFileReader) -> bytes:
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    data: bytes = names[1]["/EF"]["/F"].data
    return data


def _signed_by(file: bytes, known: Sequence[PublishedKey]) -> PublishedKey:
    """Returns the key that signed all octets of a file beside the signature itself."""
    ranges = BYTE_RANGE.findall(file)
    if not ranges:
        raise NotVerifiedError(UNKNOWN)
    if len(ranges) > 1:
        raise NotVerifiedError(CHANGED)
    first, before, after, rest = map(int, ranges[0])
    if first or not before < after <= len(file) or after + rest != len(file):
        raise NotVerifiedError(CHANGED)
    if after - before > MAX_SIGNATURE:
        raise NotVerifiedError(UNKNOWN)
    digest = hashlib.sha256(file[:before] + file[after:]).digest()
    return _checked(_signature(file[before:after]), digest, known)


def _signature(written: bytes) -> bytes:
    """Returns the octets of the signature, with the zeros that follow it."""
    found = HEXADECIMAL.fullmatch(written)
    if found is None:
        raise NotVerifiedError(CHANGED)
    return bytes.fromhex(found[1].decode())


def _checked(
    written: bytes, digest: bytes, known: Sequence[PublishedKey]
) -> PublishedKey:
    """Returns the key of a CMS signature (RFC 5652) over the digest."""
    try:
        signed = cms.ContentInfo.load(written)["content"]
        [info], [shown] = signed["signer_infos"], signed["certificates"]
        certificate = shown.dump()
        key = next((one for one in known if _der(one) == certificate), None)
        if key is None or key.purpose != Purpose.CERTIFICATE_PDF:
            raise NotVerifiedError(NOT_OURS)
        expected = _rebuilt(info, pdf_signing.asn1_certificate(key.certificate))
        if written != expected.ljust(len(written), b"\0"):
            raise NotVerifiedError(CHANGED)
        attributes = {one["type"].native: one["values"] for one in info["signed_attrs"]}
        [stated] = attributes["message_digest"].native
        # RFC 5652 §5.4: what is signed is the set itself, without its implicit tag.
        octets = info["signed_attrs"].untag().dump(force=True)
        public = load_pem_public_key(key.public_key.encode())
        if stated != digest or not isinstance(public, EllipticCurvePublicKey):
            raise NotVerifiedError(CHANGED)
        public.verify(info["signature"].native, octets, ECDSA(SHA256()))
    # asn1crypto 1.5 raises these for structures that are none.
    except (ValueError, TypeError, KeyError, RecursionError, InvalidSignature) as error:
        if isinstance(error, NotVerifiedError):
            raise
        raise NotVerifiedError(CHANGED) from error
    return key


def _rebuilt(info: cms.SignerInfo, certificate: asn1_x509.Certificate) -> bytes:
    """Returns the structure as pyHanko 0.38 writes it around these signed attributes.

    Most of it is not covered by the signature: another octet there would pass.
    """
    built: bytes = cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": [{"algorithm": "sha256"}],
                    "encap_content_info": {"content_type": "data"},
                    "certificates": [certificate],
                    "signer_infos": [
                        {
                            "version": "v1",
                            "sid": cms.SignerIdentifier(
                                {
                                    "issuer_and_serial_number": {
                                        "issuer": certificate.issuer,
                                        "serial_number": certificate.serial_number,
                                    }
                                }
                            ),
                            "digest_algorithm": {"algorithm": "sha256"},
                            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                            "signed_attrs": info["signed_attrs"],
                            "signature": info["signature"],
                        }
                    ],
                }
            ),
        }
    ).dump()
    return built


def _der(key: PublishedKey) -> bytes:
    certificate = x509.load_pem_x509_certificate(key.certificate.encode())
    return certificate.public_bytes(Encoding.DER)
