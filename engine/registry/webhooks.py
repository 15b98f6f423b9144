"""Webhook endpoints: where requests may go, and the sealed secrets that sign them."""

from __future__ import annotations

import secrets
from base64 import b64encode
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from engine.network import ssrf_protection
from engine.registry.errors import PolicyError
from engine.registry.models import WebhookEndpoint
from engine.secrets import secret_keys

PREFIX = "whsec_"
SEALED_FOR = "postern webhooks"
LONGEST_URL = 500
# Names that no host on the internet has (RFC 6761, RFC 6762, RFC 8375, and ICANN's
# reservation of .internal).
PRIVATE_SUFFIXES = (
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "intranet",
    "lan",
    "onion",
)


def new_secret() -> str:
    """Returns a signing secret in the form of Standard Webhooks, sealed.

    Sealed rather than hashed, because signing needs the secret itself.
    """
    secret = PREFIX + b64encode(secrets.token_bytes(32)).decode()
    return secret_keys.seal(SEALED_FOR, secret)


def secret(sealed: str) -> str:
    """Returns the signing secret as the receiver has it. Raises UnknownKeyError."""
    return secret_keys.unseal(SEALED_FOR, sealed)


def reseal(endpoint: WebhookEndpoint) -> None:
    """Seals an endpoint's secrets with the current secret key. Raises UnknownKeyError."""
    for name in ("sealed_secret", "earlier_sealed_secret"):
        sealed = getattr(endpoint, name)
        if sealed and not secret_keys.is_sealed_with_current_key(SEALED_FOR, sealed):
            setattr(endpoint, name, secret_keys.seal(SEALED_FOR, secret(sealed)))
            endpoint.save(update_fields=[name])


def check_url(url: str) -> None:
    """Raises PolicyError for a URL that no webhook may be sent to.

    Protects against server-side request forgery as far as the text of a URL can show.
    What a host name resolves to may change after this check, so the address is checked
    again whenever it is dialled.
    """
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or len(url) > LONGEST_URL or not url.isascii():
        raise PolicyError(
            "Enter a complete address, such as https://cases.example/hook."
        )
    if any(character <= " " or character == "\x7f" for character in url):
        raise PolicyError("Remove the spaces from the address.")
    if parts.scheme != "https" and not _is_permitted_loopback(parts.hostname or ""):
        raise PolicyError("The address must begin with https://.")
    if parts.username or parts.password:
        raise PolicyError("Leave the user name and password out of the address.")
    _check_is_public((parts.hostname or "").removesuffix("."))


def _check_is_public(host: str) -> None:
    if settings.POSTERN.probe_private_addresses:
        return
    if not (_is_public_literal(host) if _is_literal(host) else _is_public_name(host)):
        raise PolicyError(
            f"{host} is not on the internet. Enter an address that can be reached from "
            "outside your network, such as https://cases.example/hook."
        )


def _is_literal(host: str) -> bool:
    """Returns True for IPv6, and for what resolvers read as IPv4.

    They take 2130706433, 0x7f.1 and 127.1 for 127.0.0.1 (WHATWG URL, "ends in a number").
    """
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")


def _is_public_literal(host: str) -> bool:
    try:
        return ssrf_protection.is_public(ip_address(host))
    except ValueError:
        return False


def _is_public_name(host: str) -> bool:
    return "." in host and not any(
        host.endswith(f".{suffix}") for suffix in PRIVATE_SUFFIXES
    )


def _is_permitted_loopback(host: str) -> bool:
    """Returns True for this machine where private addresses may be dialled at all.

    That is in the demo and in tests only.
    """
    if not settings.POSTERN.probe_private_addresses:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
