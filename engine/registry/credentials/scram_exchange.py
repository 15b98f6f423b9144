"""The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from engine.registry.credentials.scram_keys import ScramKeys

MECHANISM = "SCRAM-SHA-256"

# Octets of a message. An address has up to 254, and three for each that is escaped.
LONGEST = 4_096

# RFC 5802 §7. A nonce is printable ASCII without commas.
_FIRST = re.compile(
    r"(?P<gs2>(?:(?P<flag>[ny])|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<acts_as>[^,]*))?,)"
    r"(?P<bare>n=(?P<name>[^,]+),r=(?P<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,]*)*)"
)
_FINAL = re.compile(
    r"(?P<unproved>c=(?P<channel>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)"
    r"(?:,[A-Za-z]=[^,]*)*),p=(?P<proof>[A-Za-z0-9+/=]+)"
)
_ESCAPE = re.compile(r"=(2C|3D)?")


class ScramError(Exception):
    """The client's message is malformed, or asks for what is not offered."""


@dataclass
class ScramExchange:
    """One exchange: the client's first message, our challenge, and the client's proof.

    Raises ScramError.
    """

    first: bytes
    own_nonce: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def __post_init__(self) -> None:
        text = _text(self.first)
        if text.startswith(("p=", "n,", "y,")) and ",m=" in text:
            raise ScramError("The extensions asked for are not supported")
        found = _FIRST.fullmatch(text)
        if found is None:
            raise ScramError("The first message of SCRAM is malformed")
        self.username = _name(found["name"])
        if found["acts_as"] and _name(found["acts_as"]) != self.username:
            raise ScramError("Sign in as yourself, not on behalf of another user")
        if found["binding"] is not None:
            raise ScramError(f"A channel binding needs {MECHANISM}-PLUS")
        self._channel = found["gs2"].encode()
        self._bare, self._nonce = found["bare"], found["nonce"] + self.own_nonce
        self._challenge = self._message = b""
        self._proof = bytes(32)

    def challenge(self, salt: bytes, iterations: int) -> bytes:
        """Returns our message, which asks for the proof."""
        said = base64.b64encode(salt).decode()
        self._challenge = f"r={self._nonce},s={said},i={iterations}".encode()
        return self._challenge

    def read_proof(self, final: bytes) -> None:
        """Takes the client's last message. Raises ScramError."""
        found = _FINAL.fullmatch(_text(final))
        if found is None:
            raise ScramError("The last message of SCRAM is malformed")
        channel = base64.b64encode(self._channel).decode()
        if not hmac.compare_digest(found["channel"], channel):
            raise ScramError("The channel binding is another connection's")
        if not hmac.compare_digest(found["nonce"], self._nonce):
            raise ScramError("The nonce is another exchange's")
        self._proof = _octets(found["proof"])
        if len(self._proof) != 32:
            raise ScramError("The proof has the wrong length")
        parts = self._bare.encode(), self._challenge, found["unproved"].encode()
        self._message = b",".join(parts)

    def signature(self, keys: ScramKeys) -> bytes | None:
        """Returns our last message if the proof was made with these keys, else None."""
        signed = hmac.digest(keys.stored, self._message, "sha256")
        client_key = bytes(a ^ b for a, b in zip(self._proof, signed, strict=True))
        # Computed in any case, so that right and wrong take as long.
        ours = hmac.digest(keys.server, self._message, "sha256")
        if hmac.compare_digest(hashlib.sha256(client_key).digest(), keys.stored):
            return b"v=" + base64.b64encode(ours)
        return None


def _text(message: bytes) -> str:
    if len(message) > LONGEST:
        raise ScramError("The message of SCRAM is too long")
    try:
        text = message.decode()
    except UnicodeDecodeError as error:
        raise ScramError("The message of SCRAM is not UTF-8") from error
    if "\0" in text:
        raise ScramError("The message of SCRAM holds a NUL")
    return text


def _name(escaped: str) -> str:
    """Returns a user name, in which "," is written =2C and "=" is written =3D."""

    def plain(found: re.Match[str]) -> str:
        if found[1] is None:
            raise ScramError("The user name of SCRAM is malformed")
        return "," if found[1] == "2C" else "="

    return _ESCAPE.sub(plain, escaped)


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ScramError("The message of SCRAM is not base64") from error
