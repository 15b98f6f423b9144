"""Signs messages with DKIM and ARC, by dkimpy and so independently of our own verifier."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portal.demo.dns_server import NameServer

SIGNED = [
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
]


@lru_cache(maxsize=8)
def rsa_key(bits: int = 2048, serial: int = 0) -> rsa.RSAPrivateKey:
    """Returns one key per size and serial number: generating one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def text_of_key(octets: bytes) -> str:
    """Returns a public key as the tag p= of its record has it."""
    return base64.b64encode(octets).decode()


@dataclass(frozen=True)
class Signer:
    """A domain's signing key, and the DNS record that publishes it."""

    domain: str
    key: rsa.RSAPrivateKey
    selector: str = "selector1"

    @property
    def name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        return f"v=DKIM1; k=rsa; p={text_of_key(der)}"

    def publish(self, names: NameServer) -> None:
        names.add_text(self.name, self.record)

    def sign(
        self,
        message: bytes,
        *,
        form: str = "relaxed/relaxed",
        length: bool = False,
        fields: Sequence[str] = SIGNED,
    ) -> bytes:
        """Returns the message with its signature on top."""
        field: bytes = dkim.sign(
            message,
            self.selector.encode(),
            self.domain.encode(),
            self.private(),
            canonicalize=tuple(part.encode() for part in form.split("/")),
            include_headers=[name.encode() for name in fields],
            length=length,
        )
        return field + message

    def private(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )


def seal(message: bytes, signer: Signer, *, arc: str) -> bytes:
    """Returns the message with an ARC set on top, which attests `arc` and that SPF passed."""
    name = signer.domain.encode()
    # dkimpy attests what the field of that server's says.
    given = b"Authentication-Results: %b; arc=%b; spf=pass\r\n" % (name, arc.encode())
    fields = dkim.ARC(given + message).sign(
        signer.selector.encode(), name, signer.private(), name
    )
    return b"".join(fields) + message
