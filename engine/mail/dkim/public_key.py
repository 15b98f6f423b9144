"""Parses DKIM public keys from their DNS records (RFC 6376 §3.6.1, RFC 8463 §4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from engine.mail.dkim import tag_list
from engine.mail.dkim.tag_list import TagError

# RFC 8301 §3.2: verifiers must not accept shorter keys, and need not accept longer ones.
MIN_RSA_BITS, MAX_RSA_BITS = 1024, 4096
# Bits of the public exponent, 65537 in practice. OpenSSL takes any with keys up to 3072
# bits, and then verifying costs as much as signing.
MAX_EXPONENT_BITS = 33

PublicKey: TypeAlias = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class WeakKey(ValueError):
    """The key is well formed but not accepted; the text says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the restrictions of its owner.

    `is_strict` (t=s) excludes identities in subdomains; signatures of a key that
    `is_test` (t=y) prove nothing.
    """

    public: PublicKey
    is_strict: bool
    is_test: bool

    @classmethod
    def parse(cls, text: str) -> Key:
        """Returns the key in a DNS record. Raises TagError or WeakKey."""
        return _parsed(text)

    @classmethod
    def _read(cls, text: str) -> Key:
        found = tag_list.parse(text)
        if found.get("v", "DKIM1") != "DKIM1":
            raise TagError("not a DKIM key")
        if "sha256" not in tag_list.words(found.get("h", "sha256")):
            raise TagError("the key is not for sha256")
        if not {"*", "email"} & set(tag_list.words(found.get("s", "*"))):
            raise TagError("the key is not for mail")
        if not found.get("p"):
            raise TagError("the key is revoked" if "p" in found else "no tag p")
        flags = tag_list.words(found.get("t", ""))
        public = _public(found.get("k", "rsa"), tag_list.decoded(found["p"]))
        return cls(public, is_strict="s" in flags, is_test="y" in flags)

    @property
    def algorithm(self) -> str:
        """The signature algorithm that the key verifies, as in the tag a=."""
        is_rsa = isinstance(self.public, rsa.RSAPublicKey)
        return "rsa-sha256" if is_rsa else "ed25519-sha256"

    def has_signed(self, data: bytes, signature: bytes) -> bool:
        """Returns whether the signature of these octets was made by its private key."""
        return self.has_signed_digest(hashlib.sha256(data).digest(), signature)

    def has_signed_digest(self, digest: bytes, signature: bytes) -> bool:
        """Does the same with the SHA-256 hash of the octets."""
        try:
            if isinstance(self.public, rsa.RSAPublicKey):
                scheme = padding.PKCS1v15()
                self.public.verify(signature, digest, scheme, Prehashed(SHA256()))
            else:
                # RFC 8463 §3: Ed25519 signs the hash of the data.
                self.public.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=1024)  # loading a key takes longer than verifying with it
def _parsed(text: str) -> Key:
    return Key._read(text)


def _public(kind: str, data: bytes) -> PublicKey:
    try:
        if kind == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(data)
        key = load_der_public_key(data) if kind == "rsa" else None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TagError("the key cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise TagError("unknown kind of key")
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise WeakKey(f"a key of {key.key_size} bits is not accepted")
    if key.public_numbers().e.bit_length() > MAX_EXPONENT_BITS:
        raise WeakKey("a key with so large an exponent is not accepted")
    return key
