"""Messages signed and encrypted with S/MIME, as `cryptography` produces them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

Options = pkcs7.PKCS7Options


@cache
def _signer() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jane Jones")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    return builder.sign(key, hashes.SHA256()), key


def _signed(content: bytes, *options: Options) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder(content)
    builder = builder.add_signer(*_signer(), hashes.SHA256())
    return builder.sign(Encoding.DER, [Options.Binary, *options])


def signed(content: bytes) -> bytes:
    """Returns the content inside its signature, in DER."""
    return _signed(content)


def detached(content: bytes) -> bytes:
    """Returns the signature alone, in DER."""
    return _signed(content, Options.DetachedSignature)


def enveloped(content: bytes) -> bytes:
    """Returns the content, encrypted for the signer's own key, in DER."""
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content)
    builder = builder.add_recipient(_signer()[0])
    return builder.encrypt(Encoding.DER, [Options.Binary])


def message(wrapped: bytes, *, kind: str = "signed-data") -> bytes:
    """Returns a message that consists of one S/MIME entity."""
    return (
        b"From: jane@firm.example\r\nTo: bob@northfield.secure.example\r\n"
        b"Subject: Hearing\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/pkcs7-mime; name=smime.p7m; smime-type="
        + kind.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(wrapped).replace(b"\n", b"\r\n")
    )


def loosened(der: bytes, piece: int) -> bytes:
    """Returns the structure in BER as streaming programs write it.

    Constructed values have indefinite lengths, except inside [0], where strings of
    octets are split into segments of `piece` octets.
    """
    found, at = b"", 0
    while at < len(der):
        tag = der[at]
        length, start = _length(der, at + 1)
        content = der[start : start + length]
        if tag & 0x20:
            inner = loosened(content, piece)
            if tag == 0xA0 and content[:1] == b"\x04":
                inner = _in_pieces(content, piece)
            found += bytes([tag, 0x80]) + inner + b"\0\0"
        else:
            found += der[at : start + length]
        at = start + length
    return found


def _in_pieces(octet_string: bytes, piece: int) -> bytes:
    length, start = _length(octet_string, 1)
    content = octet_string[start : start + length]
    pieces = [content[at : at + piece] for at in range(0, len(content), piece)]
    written = b"".join(b"\x04\x82" + len(p).to_bytes(2, "big") + p for p in pieces)
    return b"\x24\x80" + written + b"\0\0"


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
