"""RFC 3161 time stamps of checkpoints, by an authority outside the service."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime, timedelta
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
from engine.audit.checkpoints.statements import Statement

QUERY = "application/timestamp-query"
# A checkpoint is stamped within this time, or not any more.
WITHIN = timedelta(days=1)
# By how much the clock of the authority may differ from ours.
SKEW = timedelta(minutes=10)


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


def check(statement: Statement) -> datetime:
    """Returns when the roots have stamped a checkpoint. Raises TimeStampError.

    That must be within a day after the checkpoint says that it was signed: one that was
    dated back, or ahead, is not what it says.
    """
    at = verify(statement.time_stamp, statement.signature)
    if not statement.at - SKEW <= at <= statement.at + WITHIN + SKEW:
        raise TimeStampError(
            f"The time stamp is of {at:%-d %B %Y, %H:%M} UTC, and the checkpoint says that "
            "it was signed at another time."
        )
    return at


def proved_time(statement: Statement) -> datetime | None:
    """Returns when a checkpoint was stamped; None where no configured root proves it."""
    if not statement.time_stamp or not settings.POSTERN.audit_tsa_ca_file:
        return None
    try:
        return check(statement)
    except TimeStampError:
        return None


def verify(token: str, signature: str) -> datetime:
    """Returns when the roots have stamped this signature. Raises TimeStampError.

    Both are in base64; the roots are those in POSTERN_AUDIT_TSA_CA_FILE.
    """
    try:
        pem = Path(settings.POSTERN.audit_tsa_ca_file).read_bytes()
        verifier = VerifierBuilder(roots=x509.load_pem_x509_certificates(pem)).build()
        response = decode_timestamp_response(b64decode(token))
        verifier.verify_message(response, b64decode(signature))
        return response.tst_info.gen_time
    except (OSError, ValueError, VerificationError) as error:
        raise TimeStampError(f"The time stamp does not verify: {error}") from error
