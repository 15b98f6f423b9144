"""What a DKIM-Signature field says (RFC 6376 §3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.mail.dkim import tag_list
from engine.mail.dkim.canonical_forms import Form
from engine.mail.dkim.tag_list import TagError
from engine.mail.header import Field, HeaderBlock

FIELD = "DKIM-Signature"
# More are not looked at: each costs a question to somebody's name server.
MAX_SIGNATURES = 5
MAX_SIGNED_FIELDS = 100

# RFC 8301 §3.1: rsa-sha1 proves nothing any more.
ALGORITHMS = frozenset(["rsa-sha256", "ed25519-sha256"])

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is well formed; whether it is true, `verify` finds out."""

    field: Field
    domain: str
    selector: str
    algorithm: str
    header_form: Form
    body_form: Form
    signed_fields: tuple[str, ...]
    """Names in lower case; the same one twice signs two of them."""
    body_hash: bytes
    value: bytes
    identity_domain: str
    has_length: bool
    signed_at: int | None
    expires_at: int | None

    @property
    def key_name(self) -> str:
        """Where its public key stands (RFC 6376 §3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def unsigned_field(self) -> Field:
        """The field itself without the signature's value (RFC 6376 §3.7)."""
        name, colon, rest = self.field.raw[:-2].partition(b":")
        specs = [
            spec[: spec.index(b"=") + 1]
            if spec.partition(b"=")[0].strip() == b"b"
            else spec
            for spec in rest.split(b";")
        ]
        return Field(self.field.name, name + colon + b";".join(specs) + b"\r\n")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A field that is no signature, and why."""

    reason: str


def signatures(header: HeaderBlock) -> list[Signature | Malformed]:
    """The signatures of a message, from the top, as many as are looked at."""
    return [_read(field) for field in header.all(FIELD)[:MAX_SIGNATURES]]


def _read(field: Field) -> Signature | Malformed:
    try:
        return parse(field)
    except TagError as error:
        return Malformed(str(error))


def parse(field: Field) -> Signature:
    """Read one field. Raises TagError."""
    found = tag_list.parse(field.written.decode("ascii", "replace"))
    if tag_list.required(found, "v") != "1":
        raise TagError("unknown version")
    if tag_list.required(found, "a") not in ALGORITHMS:
        raise TagError("unknown algorithm")
    if "dns/txt" not in tag_list.words(found.get("q", "dns/txt")):
        raise TagError("unknown way to the key")
    domain = _name(tag_list.required(found, "d"))
    header_form, body_form = _forms(found.get("c", "simple/simple"))
    body_hash = tag_list.decoded(tag_list.required(found, "bh"))
    if len(body_hash) != 32:
        raise TagError("the body's hash has another length")
    return Signature(
        field=field,
        domain=domain,
        selector=_name(tag_list.required(found, "s")),
        algorithm=found["a"],
        header_form=header_form,
        body_form=body_form,
        signed_fields=_signed_fields(tag_list.required(found, "h")),
        body_hash=body_hash,
        value=tag_list.decoded(tag_list.required(found, "b")),
        identity_domain=_identity(found.get("i", ""), domain),
        has_length="l" in found,
        signed_at=_moment(found, "t"),
        expires_at=_moment(found, "x"),
    )


def _name(text: str) -> str:
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise TagError("not a domain name")
    return text.lower()


def _forms(text: str) -> tuple[Form, Form]:
    header, _, body = text.partition("/")
    try:
        return Form(header), Form(body or "simple")
    except ValueError as error:
        raise TagError("unknown canonical form") from error


def _signed_fields(text: str) -> tuple[str, ...]:
    names = tuple(name.lower() for name in tag_list.words(text))
    if len(names) > MAX_SIGNED_FIELDS or not all(map(_FIELD_NAME.fullmatch, names)):
        raise TagError("not a list of fields")
    if "from" not in names:
        raise TagError("From is not signed")
    return names


def _identity(text: str, domain: str) -> str:
    """The domain of i=, which is d= or below it (RFC 6376 §3.5)."""
    if not text:
        return domain
    identity = _name(text.rpartition("@")[2])
    if identity != domain and not identity.endswith(f".{domain}"):
        raise TagError("the identity is outside the domain")
    return identity


def _moment(found: dict[str, str], name: str) -> int | None:
    return tag_list.moment(found[name]) if name in found else None
