"""Where webhooks may go, and the secrets that sign them."""

from __future__ import annotations

import secrets
from base64 import b64encode
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from engine import keys, reach
from engine.registry.errors import PolicyError
from engine.registry.models import WebhookEndpoint

PREFIX = "whsec_"
SEALED_FOR = "postern webhooks"
LONGEST_URL = 500
# Names that stand for no host of the internet (RFC 6761, RFC 6762, RFC 8375, and ICANN's
# reservation of .internal).
INSIDE = ("localhost", "local", "internal", "home.arpa", "intranet", "lan", "onion")


def new_secret() -> str:
    """A secret that signs, in the form that Standard Webhooks gives it, sealed."""
    secret = PREFIX + b64encode(secrets.token_bytes(32)).decode()
    return keys.seal(SEALED_FOR, secret)


def secret(sealed: str) -> str:
    """The secret that signs, as its receiver has it. Raises UnknownKeyError."""
    return keys.unseal(SEALED_FOR, sealed)


def reseal(endpoint: WebhookEndpoint) -> None:
    """Seal its secrets with the secret key of now. Raises UnknownKeyError."""
    for name in ("sealed_secret", "earlier_sealed_secret"):
        sealed = getattr(endpoint, name)
        if sealed and not keys.is_current(SEALED_FOR, sealed):
            setattr(endpoint, name, keys.seal(SEALED_FOR, secret(sealed)))
            endpoint.save(update_fields=[name])


def check_url(url: str) -> None:
    """Raise PolicyError for an address that no webhook may go to.

    An address of ours is refused here; what a host's name stands for may change, and is
    looked at whenever it is dialled.
    """
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(url) > LONGEST_URL or not url.isascii():
        raise PolicyError("Enter a whole address, such as https://cases.example/hook.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise PolicyError("The address may hold no spaces.")
    if parts.scheme != "https" and not _is_of_this_machine(parts.hostname or ""):
        raise PolicyError("The address must begin with https://.")
    if parts.username or parts.password:
        raise PolicyError("Leave the user name and password out of the address.")
    _check_is_outside((parts.hostname or "").removesuffix("."))


def _check_is_outside(host: str) -> None:
    if settings.POSTERN.probe_private_addresses:
        return
    if not (_is_public_literal(host) if _is_literal(host) else _is_public_name(host)):
        raise PolicyError(
            f"{host} is not on the internet. Enter an address that can be reached from "
            "outside your network, such as https://cases.example/hook."
        )


def _is_literal(host: str) -> bool:
    """True for IPv6, and for what resolvers read as IPv4 (WHATWG URL, "ends in a number").

    They take 2130706433, 0x7f.1 and 127.1 for 127.0.0.1.
    """
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")


def _is_public_literal(host: str) -> bool:
    try:
        return reach.is_public(ip_address(host))
    except ValueError:
        return False


def _is_public_name(host: str) -> bool:
    return "." in host and not any(host.endswith(f".{name}") for name in INSIDE)


def _is_of_this_machine(host: str) -> bool:
    """Only where private addresses may be dialled at all: in the demo and in tests."""
    if not settings.POSTERN.probe_private_addresses:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
