"""Signs messages (RFC 6376 §5) with RSA (RFC 8301) and Ed25519 (RFC 8463)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from engine.mail.dkim.canonical_forms import Form, canonical_field
from engine.mail.dkim.signature import FIELD, MAX_SIGNED_FIELDS
from engine.mail.header import Field, HeaderBlock

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Tags: TypeAlias = Mapping[str, str]

FORMS = f"{Form.RELAXED}/{Form.RELAXED}"
# Signed once more than they occur, so that none can be added above the ones that were
# signed (RFC 6376 §8.15). From is so even where it is missing. Of the others, only those
# that are there: a server may still add a missing To or Message-ID.
OVERSIGNED = (
    "From", "Reply-To", "Subject", "Date", "To", "Cc", "Message-ID", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding",
)  # fmt: skip
# RFC 6376 §5.4.1, and what programs act on: lists, classification, threads, receipts.
SIGNED = (
    *OVERSIGNED, "Sender", "In-Reply-To", "References", "Content-Disposition",
    "Content-ID", "Auto-Submitted", "Sensitivity", "Disposition-Notification-To",
    "Resent-Date", "Resent-From", "Resent-To", "Resent-Cc", "List-Id", "List-Help",
    "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
    "List-Owner", "List-Archive",
)  # fmt: skip
# Of one name: verifiers, ours too, bound the length of h=.
MAX_OF_A_NAME = 5
LINE = 76


@dataclass(frozen=True, slots=True)
class DomainKey:
    """A private key, and the DNS name under which its public half is published."""

    domain: str
    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """The signature algorithm, as in the tag a=."""
        is_rsa = isinstance(self.private, rsa.RSAPrivateKey)
        return "rsa-sha256" if is_rsa else "ed25519-sha256"

    def sign(self, data: bytes) -> str:
        """Returns the signature of these octets, in base64."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            made = self.private.sign(data, padding.PKCS1v15(), SHA256())
        else:
            # RFC 8463 §3: Ed25519 signs the hash of the data.
            made = self.private.sign(hashlib.sha256(data).digest())
        return base64.b64encode(made).decode()


def sign(header: HeaderBlock, key: DomainKey, *, body_hash: bytes, now: float) -> Field:
    """Returns a DKIM-Signature of the message, to be put on top of its header.

    `body_hash` is the SHA-256 of the body in the relaxed form; `now` is in seconds since
    1970. Never with l=: anyone could append to what it leaves out (RFC 6376 §8.2).
    """
    names = signed_names(header, SIGNED, OVERSIGNED)
    tags = {"v": "1"} | signature_tags(key, names, body_hash, now)
    return signed_field(FIELD, tags, key, signed_data(header, names))


def signature_tags(
    key: DomainKey, names: Sequence[str], body_hash: bytes, now: float
) -> dict[str, str]:
    """Returns the tags that a DKIM signature and one of an ARC set share."""
    return {
        "a": key.algorithm,
        "c": FORMS,
        "d": key.domain,
        "s": key.selector,
        "t": str(int(now)),
        "h": ":".join(names),
        "bh": base64.b64encode(body_hash).decode(),
    }


def signed_names(
    header: HeaderBlock, signed: Sequence[str], oversigned: Sequence[str]
) -> list[str]:
    """Returns the names for h=, each as often as its fields are signed."""
    names = []
    for name in signed:
        count = min(len(header.all(name)), MAX_OF_A_NAME)
        if name == "From" or (count and name in oversigned):
            count += 1
        names += [name] * count
    return names[:MAX_SIGNED_FIELDS]


def signed_data(header: HeaderBlock, names: Sequence[str]) -> bytes:
    """Returns these fields, those of one name from the bottom up (RFC 6376 §5.4.2)."""
    left = {name: header.all(name) for name in set(names)}
    fields = (left[name].pop() for name in names if left[name])
    return b"".join(canonical_field(field, Form.RELAXED) for field in fields)


def signed_field(name: str, tags: Tags, key: DomainKey, data: bytes) -> Field:
    """Returns the field with these tags, and b= over `data` and the field (§3.7)."""
    text = f"{name}:{_folded(tags, len(name) + 1)}\r\n\tb="
    unsigned = Field(name, f"{text}\r\n".encode())
    whole = data + canonical_field(unsigned, Form.RELAXED).removesuffix(b"\r\n")
    value = "\r\n\t".join(_lines(key.sign(whole)))
    return Field(name, f"{text}{value}\r\n".encode())


def _folded(tags: Tags, column: int) -> str:
    """Returns the tags in lines of LINE characters where their values allow."""
    text = ""
    for tag, value in tags.items():
        # RFC 6376 §3.5: white space may stand around the colons of h=.
        pieces = value.split(":") if tag == "h" else [value]
        pieces[0] = f"{tag}={pieces[0]}"
        last = len(pieces) - 1
        for number, piece in enumerate(pieces):
            piece += ";" if number == last else ":"
            gap = "" if number else " "
            if column + len(gap) + len(piece) > LINE:
                gap, column = "\r\n\t", 0
            text += gap + piece
            column += len(gap) + len(piece)
    return text


def _lines(value: str) -> Iterator[str]:
    # Four less on the first line, which begins with a tab and "b=".
    yield value[: LINE - 4]
    for start in range(LINE - 4, len(value), LINE):
        yield value[start : start + LINE]
