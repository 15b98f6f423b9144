"""Parses DKIM-Signature fields (RFC 6376 §3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.mail.dkim import tag_list
from engine.mail.dkim.canonical_forms import Form
from engine.mail.dkim.tag_list import TagError
from engine.mail.header import Field, HeaderBlock

FIELD = "DKIM-Signature"
# More are ignored: each costs a query to a name server that the sender chooses.
MAX_SIGNATURES = 5
MAX_SIGNED_FIELDS = 100

# RFC 8301 §3.1: rsa-sha1 must not be accepted any more.
ALGORITHMS = frozenset(["rsa-sha256", "ed25519-sha256"])

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Signature:
    """A well-formed signature, not yet verified.

    `signed_fields` are names in lower case; a name given twice covers two fields.
    `identity_domain` is the domain of i=. `signed_at` and `expires_at` are seconds since
    1970.
    """

    field: Field
    domain: str
    selector: str
    algorithm: str
    header_form: Form
    body_form: Form
    signed_fields: tuple[str, ...]
    body_hash: bytes
    value: bytes
    identity_domain: str
    has_length: bool
    signed_at: int | None
    expires_at: int | None

    @property
    def key_name(self) -> str:
        """The DNS name of its public key (RFC 6376 §3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def unsigned_field(self) -> Field:
        """The field without the value of b=, as it was signed (RFC 6376 §3.7)."""
        return without_value(self.field)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A DKIM-Signature field that cannot be parsed, and why."""

    reason: str


def without_value(field: Field) -> Field:
    """Returns a field of tags without the value of b= (RFC 6376 §3.7)."""
    name, colon, rest = field.raw[:-2].partition(b":")
    specs = [
        spec[: spec.index(b"=") + 1]
        if spec.partition(b"=")[0].strip() == b"b"
        else spec
        for spec in rest.split(b";")
    ]
    return Field(field.name, name + colon + b";".join(specs) + b"\r\n")


def signatures(header: HeaderBlock) -> list[Signature | Malformed]:
    """Returns the signatures of a message from the top, MAX_SIGNATURES at most."""
    return [_read(field) for field in header.all(FIELD)[:MAX_SIGNATURES]]


def _read(field: Field) -> Signature | Malformed:
    try:
        return parse(field)
    except TagError as error:
        return Malformed(str(error))


def parse(field: Field) -> Signature:
    """Returns the signature in a field. Raises TagError."""
    found = tag_list.parse(field.written.decode("ascii", "replace"))
    if tag_list.required(found, "v") != "1":
        raise TagError("unknown version")
    return of_tags(field, found, identity=found.get("i", ""))


def of_tags(field: Field, found: dict[str, str], *, identity: str = "") -> Signature:
    """Returns the signature with these tags; `identity` is the value of i=, if it is one.

    ARC-Message-Signature differs only there and in having no version (RFC 8617 §4.1.2).
    Raises TagError.
    """
    algorithm = check_algorithm(found)
    if "dns/txt" not in tag_list.words(found.get("q", "dns/txt")):
        raise TagError("unknown query method")
    domain = domain_name(tag_list.required(found, "d"))
    header_form, body_form = _forms(found.get("c", "simple/simple"))
    body_hash = tag_list.decoded(tag_list.required(found, "bh"))
    if len(body_hash) != 32:
        raise TagError("the body hash has the wrong length")
    return Signature(
        field=field,
        domain=domain,
        selector=domain_name(tag_list.required(found, "s")),
        algorithm=algorithm,
        header_form=header_form,
        body_form=body_form,
        signed_fields=_signed_fields(tag_list.required(found, "h")),
        body_hash=body_hash,
        value=tag_list.decoded(tag_list.required(found, "b")),
        identity_domain=_identity(identity, domain),
        has_length="l" in found,
        signed_at=_timestamp(found, "t"),
        expires_at=_timestamp(found, "x"),
    )


def check_algorithm(found: dict[str, str]) -> str:
    """Returns the value of a=. Raises TagError where it is none that we verify."""
    algorithm = tag_list.required(found, "a")
    if algorithm not in ALGORITHMS:
        raise TagError("unknown algorithm")
    return algorithm


def domain_name(text: str) -> str:
    """Returns a domain or selector in lower case. Raises TagError."""
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
    """Returns the domain of i=, which must be d= or below it (RFC 6376 §3.5)."""
    if not text:
        return domain
    identity = domain_name(text.rpartition("@")[2])
    if identity != domain and not identity.endswith(f".{domain}"):
        raise TagError("the identity is outside the domain")
    return identity


def _timestamp(found: dict[str, str], name: str) -> int | None:
    return tag_list.timestamp(found[name]) if name in found else None
