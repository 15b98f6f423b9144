"""Probes STARTTLS on another organisation's server: TLS version, names, expiry, trust.

Sends nothing but EHLO, STARTTLS and QUIT, and reads within bounds.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from django.conf import settings

from engine.transport import tls_faults
from engine.transport.connection_errors import ConversationError
from engine.transport.diagnosis import public_addresses
from engine.transport.next_hop import Hop
from engine.transport.protection import Protection

SMTP_PORT = 25
# The usual ports of SMTP with STARTTLS; others would make the probe a port scanner.
PORTS = frozenset({SMTP_PORT, 587, 2525})
PATIENCE = 20.0  # seconds for the whole conversation
LONGEST_REPLY = 8 * 1024  # octets
NAMES_SHOWN = 5


class ProbeFailedError(Exception):
    """The server could not be probed. The message is a sentence to show."""


@dataclass(frozen=True, slots=True)
class Secured:
    """A TLS conversation. `fault` says why we would not deliver over it; empty if we
    would."""

    version: str
    names: tuple[str, ...]
    days_left: int
    fault: str = ""


def starttls(host: str, port: int, *, tls_name: str = "") -> Secured:
    """Starts TLS with a server and reads its certificate.

    Blocks for up to twice PATIENCE: call it in a job. Raises ProbeFailedError, or
    DnsUnavailable where no name server answers.
    """
    name = tls_name or host
    address = _address(host, port)
    # First without verification, to read a certificate that would be refused, too.
    certificate, version = _look(address, port, _unverified())
    days_left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    seen = Secured(version, _names(certificate), days_left)
    try:
        protection = Protection.find_now(Hop(host, port, name))
        _look(address, port, protection.context(), protection.server_name, protection)
    except ssl.SSLCertVerificationError as refused:
        fault = f"its certificate is not good for {name}: {tls_faults.of_certificate(refused)}"
        return Secured(seen.version, seen.names, seen.days_left, fault)
    except ConversationError as refused:
        return Secured(seen.version, seen.names, seen.days_left, refused.reply.text)
    return seen


def _address(host: str, port: int) -> str:
    if port not in PORTS and not settings.POSTERN.probe_private_addresses:
        allowed = ", ".join(map(str, sorted(PORTS)))
        raise ProbeFailedError(f"Only these ports can be checked: {allowed}.")
    found = public_addresses.addresses(host)
    if not found:
        raise ProbeFailedError(f"{host} has no address on the internet.")
    return str(found[0])


def _look(
    address: str,
    port: int,
    context: ssl.SSLContext,
    name: str | None = None,
    protection: Protection | None = None,
) -> tuple[x509.Certificate, str]:
    """Returns the certificate and the TLS version.

    Raises SSLCertVerificationError, or ConversationError for what DANE refuses.
    """
    deadline = time.monotonic() + PATIENCE
    try:
        with socket.create_connection((address, port), timeout=PATIENCE) as plain:
            _start(plain, deadline)
            plain.settimeout(_left(deadline))
            with context.wrap_socket(plain, server_hostname=name) as secured:
                if protection is not None:
                    protection.check(secured)
                shown = secured.getpeercert(binary_form=True) or b""
                return x509.load_der_x509_certificate(shown), secured.version() or ""
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise ProbeFailedError("The server breaks off when TLS starts.") from error
    except (OSError, ValueError) as error:
        raise ProbeFailedError(f"Nobody answers on port {port}.") from error


def _start(plain: socket.socket, deadline: float) -> None:
    """Exchanges greeting, EHLO and STARTTLS (RFC 3207 §4). Raises ProbeFailedError."""
    _expect(_reply(plain, deadline), b"220", "The server does not greet.")
    plain.sendall(f"EHLO {settings.POSTERN.smtp_name}\r\n".encode())
    features = _reply(plain, deadline)
    _expect(features, b"250", "The server does not answer EHLO.")
    if b"STARTTLS" not in features.upper():
        raise ProbeFailedError("The server does not offer STARTTLS.")
    plain.sendall(b"STARTTLS\r\n")
    _expect(
        _reply(plain, deadline), b"220", "The server offers STARTTLS and refuses it."
    )


def _reply(plain: socket.socket, deadline: float) -> bytes:
    """Reads one reply of any number of lines, within bounds (RFC 5321 §4.2.1)."""
    heard = b""
    while not _is_whole(heard):
        plain.settimeout(_left(deadline))
        chunk = plain.recv(1024)
        heard += chunk
        if not chunk or len(heard) > LONGEST_REPLY:
            raise ProbeFailedError("The server does not speak SMTP.")
    return heard


def _is_whole(heard: bytes) -> bool:
    lines = heard.split(b"\r\n")
    return len(lines) > 1 and lines[-1] == b"" and lines[-2][3:4] != b"-"


def _expect(reply: bytes, code: bytes, otherwise: str) -> None:
    if not reply.startswith(code):
        raise ProbeFailedError(otherwise)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _unverified() -> ssl.SSLContext:
    """Returns a context that accepts any certificate; no mail is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName)[:NAMES_SHOWN])
