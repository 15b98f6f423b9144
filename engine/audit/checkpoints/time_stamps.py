"""RFC 3161 time stamps of checkpoints, by an authority outside the service."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from engine.audit.checkpoints import http_post

QUERY = "application/timestamp-query"


class TimeStampError(Exception):
    """The authority gave no usable time stamp, or one that does not verify."""


def request(signature: str) -> str:
    """Has the authority stamp a signature, both in base64. Raises TimeStampError.

    The reply is verified where POSTERN_AUDIT_TSA_CA_FILE names the authority's roots;
    otherwise it must at least be about this signature.
    """
    octets = b64decode(signature)
    built = (
        TimestampRequestBuilder()
        .data(octets)
        .hash_algorithm(HashAlgorithm.SHA256)
        .build()
    )
    try:
        reply = http_post.post(settings.POSTERN.audit_tsa_url, built.as_bytes(), QUERY)
        response = decode_timestamp_response(reply)
        status = PKIStatus(response.status)
        if status != PKIStatus.GRANTED:
            raise TimeStampError(f"The time stamp authority refused: {status.name}.")
        imprint = response.tst_info.message_imprint.message
        is_ours = imprint == built.message_imprint.message
        if not is_ours or response.tst_info.nonce != built.nonce:
            raise TimeStampError("The time stamp is of something else.")
    except (http_post.PostError, ValueError) as error:
        raise TimeStampError(f"There is no time stamp: {error}") from error
    token = b64encode(reply).decode()
    if settings.POSTERN.audit_tsa_ca_file:
        verify(token, signature)
    return token


def verify(token: str, signature: str) -> None:
    """Raises TimeStampError where the roots did not stamp this signature.

    Both are in base64; the roots are those in POSTERN_AUDIT_TSA_CA_FILE.
    """
    try:
        pem = Path(settings.POSTERN.audit_tsa_ca_file).read_bytes()
        verifier = VerifierBuilder(roots=x509.load_pem_x509_certificates(pem)).build()
        verifier.verify_message(
            decode_timestamp_response(b64decode(token)), b64decode(signature)
        )
    except (OSError, ValueError, VerificationError) as error:
        raise TimeStampError(f"The time stamp does not verify: {error}") from error
