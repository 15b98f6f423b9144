"""Says in plain words why TLS with a server failed: senders and administrators read it."""

from __future__ import annotations

import ssl

from engine.transport.tls_attempts import ResultType

# By OpenSSL's number of the fault (openssl-verification-options, x509_vfy.h).
_CERTIFICATE = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "it is signed by an authority that is not trusted",
    20: "it is signed by an authority that is not trusted, or is sent without the "
    "certificates between",
    21: "it is sent without the certificates between it and its authority",
    23: "it has been revoked",
    62: "it is for another name",
    66: "its key or its signature is too weak",
    67: "an authority above it has a key that is too weak",
    68: "its signature is too weak",
}
# The same faults as reports count them (RFC 8460 §4.3); all others are of no kind.
RESULTS = {
    10: ResultType.EXPIRED,
    18: ResultType.NOT_TRUSTED,
    19: ResultType.NOT_TRUSTED,
    20: ResultType.NOT_TRUSTED,
    21: ResultType.NOT_TRUSTED,
    62: ResultType.WRONG_NAME,
}
# By OpenSSL's name of the fault. An alert is what the server said.
_HANDSHAKE = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate cannot be verified",
    "DH_KEY_TOO_SMALL": "its key exchange is too weak",
    "NO_PROTOCOLS_AVAILABLE": "it has no version of TLS that we accept",
    "NO_SHARED_CIPHER": "it has no cipher that we accept",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it has no cipher in common with us, or wants a "
    "certificate that we do not have",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "it does not accept our kind of certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate, and got none",
    "TLSV1_ALERT_ACCESS_DENIED": "it does not let us in",
    "TLSV1_ALERT_DECRYPT_ERROR": "it could not check our certificate's signature",
    "TLSV1_ALERT_INTERNAL_ERROR": "it has a fault of its own",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it has no version of TLS that we accept",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the authority of our certificate",
    "TLSV1_UNRECOGNIZED_NAME": "it does not know the name that we call it by",
    "UNEXPECTED_EOF_WHILE_READING": "it hung up while TLS began",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "its TLS is too old to be safe",
    "UNSUPPORTED_PROTOCOL": "it has no version of TLS that we accept",
    "WRONG_VERSION_NUMBER": "it did not answer in TLS",
}


def of_certificate(error: ssl.SSLCertVerificationError) -> str:
    """Returns what is wrong with the certificate that the server showed."""
    return _CERTIFICATE.get(error.verify_code, error.verify_message)


def of_handshake(error: ssl.SSLError) -> str:
    """Returns why no TLS session came about; a rare fault in OpenSSL's own words."""
    name = error.reason or ""
    said = _HANDSHAKE.get(name)
    return said or name.replace("_", " ").lower() or "it broke off while TLS began"
