"""The DKIM keys and DNS records of the demo organisations, and of the community itself."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from engine.registry.actions import mail_keys
from engine.registry.models import AccountType
from engine.secrets import state_folder
from engine.signing import key_records
from engine.signing.mail_keys import community_domain
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


def write_community_records() -> None:
    """Makes the community's keys where they are missing, and keeps their records in a file.

    The name server reads them from there, because it starts without a database.
    """
    mail_keys.make_missing(by=None)
    domains = mail_keys.hosted_domains().values_list("community_domain", flat=True)
    records = [
        [one.name, one.kind, one.value]
        for domain in [community_domain(), *domains]
        for one in key_records.wanted(domain)
    ]
    state_folder.make_private_folder(_records_file().parent)
    state_folder.write_atomically(_records_file(), json.dumps(records).encode())


def _records_file() -> Path:
    path: Path = settings.POSTERN.path("dkim", "records.json")
    return path


def publish(names: NameServer) -> None:
    """Adds DNS records for the demo organisations that have their own mail servers.

    And for the keys that sign the community's mail.
    """
    if _records_file().exists():
        for name, kind, value in json.loads(_records_file().read_text()):
            if kind == "CNAME":
                names.add_alias(name, value)
            else:
                names.add_text(name, value)
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
