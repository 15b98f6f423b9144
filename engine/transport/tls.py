"""TLS as a client: the certificates that we trust, and the one that we present."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import Any

from django.conf import settings

from engine.secrets.certificates import CertificateFiles, ReloadingContext

NAMES_RECORDED = 5  # of a certificate's names, in a trace


def client_context() -> ssl.SSLContext:
    """Returns the context for every next hop. Reads files: call it in a thread.

    Renewed files are used from the next conversation, once they are complete and match.
    Raises CertificateError where no valid files have been read yet.
    """
    ours = settings.POSTERN
    return _followed(
        CertificateFiles(ours.tls_cert_file, ours.tls_key_file, ours.tls_ca_file)
    ).reload_if_changed()


def dane_context() -> ssl.SSLContext:
    """Returns the context for a next hop whose certificate its own DNS names.

    It accepts any certificate: the caller verifies it against the records, before it says
    anything more. Reads files, and raises CertificateError, as `client_context` does.
    """
    ours = settings.POSTERN
    return _followed(
        CertificateFiles(ours.tls_cert_file, ours.tls_key_file, ""), accepts_any=True
    ).reload_if_changed()


def trusting_context() -> ssl.SSLContext:
    """Returns a context that accepts any certificate, only to show one that was refused."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=8)
def _followed(
    files: CertificateFiles, *, accepts_any: bool = False
) -> ReloadingContext:
    return ReloadingContext(files, _accepting_context if accepts_any else _context)


def _context(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9525 §2: the name stands in the subject alternative names or nowhere.
    context.hostname_checks_common_name = False
    files.load_into(context)
    return context


def _accepting_context(files: CertificateFiles) -> ssl.SSLContext:
    context = _context(files)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def describe(
    secured: ssl.SSLObject | ssl.SSLSocket, expected_name: str
) -> dict[str, Any]:
    """Returns the facts about a TLS session for the trace."""
    cipher = secured.cipher()
    certificate = secured.getpeercert() or {}
    names = [str(entry[1]) for entry in certificate.get("subjectAltName", ())]
    return {
        "tls_version": secured.version(),
        "tls_cipher": cipher[0] if cipher else "",
        "certificate_verified_for": expected_name,
        "certificate_names": names[:NAMES_RECORDED],
    }
