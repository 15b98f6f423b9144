"""The DKIM keys and DNS records of the demo organisations."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from engine.registry.models import AccountType
from engine.secrets import state_folder
from portal.demo.dns_server import NameServer
from portal.demo.members import ORGANISATIONS

SELECTOR = "selector1"
BITS = 2048


def key_file(domain: str) -> Path:
    """Returns the path of a domain's private key, and creates the key if necessary."""
    path: Path = settings.POSTERN.path("dkim", f"{domain}.pem")
    if not path.exists():
        state_folder.make_private_folder(path.parent)
        key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
        with state_folder.create_private_file(path) as file:
            file.write(_pem_of(key))
    return path


def public_record(domain: str) -> str:
    """Returns the TXT record of a domain's public key (RFC 6376 §3.6.1)."""
    key = serialization.load_pem_private_key(key_file(domain).read_bytes(), None)
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def publish(names: NameServer) -> None:
    """Adds DNS records for the demo organisations that have their own mail servers."""
    for demo in ORGANISATIONS:
        if demo.connection is None:
            continue
        names.add(demo.domain, "MX", f"0 {demo.connection.tls_name}.")
        names.add(demo.connection.tls_name, "A", "127.0.0.1")
        if demo.account_type == AccountType.CLOUD_GATEWAY:
            name = f"{SELECTOR}._domainkey.{demo.domain}"
            names.add_text(name, public_record(demo.domain))


def _pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
