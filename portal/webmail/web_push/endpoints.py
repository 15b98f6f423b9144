"""Which endpoints a browser may name: those of the push services that the operator allows."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from django.conf import settings

from engine.registry.errors import PolicyError

LONGEST = 1_000
AUTH_OCTETS = 16  # RFC 8291 section 3.2
KEY_OCTETS = 65  # an uncompressed point on P-256, RFC 8291 section 3.1


def checked(endpoint: str) -> SplitResult:
    """Returns the parts of an endpoint. Raises PolicyError where it must not be called.

    It protects against server-side request forgery by name; what the name resolves to is
    checked whenever it is dialled.
    """
    refusal = PolicyError(
        "This browser's push service is not one that this community uses."
    )
    if len(endpoint) > LONGEST or not endpoint.isascii() or not endpoint.isprintable():
        raise refusal
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise refusal from error
    is_plain = not parts.username and not parts.password and not parts.fragment
    # Another port only where tests and the demo have services of their own.
    is_usual = port in (None, 443) or settings.POSTERN.probe_private_addresses
    if parts.scheme != "https" or " " in endpoint or not (is_plain and is_usual):
        raise refusal
    if not any(_matches(host, one) for one in settings.POSTERN.web_push_hosts):
        raise refusal
    return parts


def public_key(p256dh: str) -> bytes:
    """Returns a browser's public key. Raises PolicyError for what is none."""
    try:
        found = decoded(p256dh)
        if len(found) != KEY_OCTETS:
            raise ValueError("not an uncompressed point")
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), found)
    except ValueError as error:
        raise PolicyError("The browser sent a key that is none. Try again.") from error
    return found


def auth_secret(auth: str) -> bytes:
    """Returns a browser's authentication secret. Raises PolicyError for what is none."""
    try:
        found = decoded(auth)
    except ValueError:
        found = b""
    if len(found) != AUTH_OCTETS:
        raise PolicyError("The browser sent a secret that is none. Try again.")
    return found


def decoded(text: str) -> bytes:
    """Decodes base64url, with or without padding. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(octets: bytes) -> str:
    """Encodes as base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _matches(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    return host == allowed
