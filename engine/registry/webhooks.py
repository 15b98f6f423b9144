"""Where webhooks may go, and the secrets that sign them."""

from __future__ import annotations

from base64 import b64encode
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from engine.registry.errors import PolicyError

PREFIX = "whsec_"
LONGEST_URL = 500


def secret(seed: str) -> str:
    """The secret that signs, in the form that Standard Webhooks gives it."""
    key = salted_hmac("engine.registry.webhooks", seed, algorithm="sha256").digest()
    return PREFIX + b64encode(key).decode()


def check_url(url: str) -> None:
    """Raise PolicyError for an address that no webhook may go to.

    What its host's name stands for is looked at again whenever it is dialled.
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


def _is_of_this_machine(host: str) -> bool:
    """Only where private addresses may be dialled at all: in the demo and in tests."""
    if not settings.POSTERN.probe_private_addresses:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
