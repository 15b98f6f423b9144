"""Composes MIME entities: texts, attachments and multiparts (RFC 2045, RFC 2046)."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass

from engine.mail.header import Field, new_field
from engine.mail.mime import parameters

# RFC 5322 §2.1.1 and RFC 2045 §6.8.
MAX_LINE_OCTETS = 998
_BASE64_LINE = 76

_CONTENT_TYPE = re.compile(
    r"[0-9A-Za-z!#$&^_.+-]{1,60}/[0-9A-Za-z!#$&^_.+-]{1,80}"
    r'(?:; ?charset="?[0-9A-Za-z_.:-]{1,40}"?)?'
)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send. Its octets arrive unchanged."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the HTML of a message shows (RFC 2392)."""

    file: Attachment
    content_id: str


@dataclass(frozen=True, slots=True)
class Entity:
    """The fields that describe a body, and the body, encoded for transport."""

    fields: tuple[Field, ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """Returns fields, empty line and body."""
        return b"".join([*(field.raw for field in self.fields), b"\r\n", self.body])


def text(content: str, subtype: str = "plain") -> Entity:
    """Returns a text part, in UTF-8 unless ASCII suffices.

    Encoded as quoted-printable where a server might change its lines otherwise.
    """
    data = _LINE_END.sub(b"\n", content.encode("utf-8", "replace"))
    if data and not data.endswith(b"\n"):
        data += b"\n"
    charset = "us-ascii" if data.isascii() else "utf-8"
    content_type = f"text/{subtype}; charset={charset}"
    if is_seven_bit(body := data.replace(b"\n", b"\r\n")):
        return _entity(content_type, "7bit", body)
    body = b2a_qp(data, istext=True).replace(b"\n", b"\r\n")
    return _entity(content_type, "quoted-printable", body)


def attachment(attached: Attachment) -> Entity:
    """Returns the entity of a file, in base64; an invalid type becomes octet-stream."""
    return _file(attached, "attachment")


def picture(embedded: Picture) -> Entity:
    """Returns the entity of a picture that HTML refers to by its Content-ID."""
    content_id = new_field("Content-ID", f"<{embedded.content_id}>")
    return _file(embedded.file, "inline", content_id)


def _file(attached: Attachment, disposition: str, *more: Field) -> Entity:
    content_type = attached.content_type
    if not _CONTENT_TYPE.fullmatch(content_type):
        content_type = _UNKNOWN
    kind = content_type.partition("/")[0].lower()
    encoding, body = "base64", b""
    if kind in ("message", "multipart"):
        # These types must not be encoded (RFC 2046 §5.2.1): a message that is not 7-bit
        # is sent as plain octets instead.
        if kind == "message" and is_seven_bit(attached.data):
            encoding, body = "7bit", attached.data
        else:
            content_type = _UNKNOWN
    if attached.name:
        disposition = f"{disposition}; {parameters.write('filename', attached.name)}"
    return _entity(
        content_type,
        encoding,
        body or base64(attached.data),
        new_field("Content-Disposition", disposition),
        *more,
    )


def multipart(subtype: str, entities: Sequence[Entity], **extra: str) -> Entity:
    """Returns a multipart of the entities; `extra` are parameters of its type."""
    # 128 random bits: no need to search the bodies for it.
    boundary = f"=_{secrets.token_hex(16)}"
    more = "".join(f"; {parameters.write(k, v)}" for k, v in extra.items())
    body = b"".join(
        b"".join([b"--", boundary.encode(), b"\r\n", entity.to_bytes(), b"\r\n"])
        for entity in entities
    )
    return Entity(
        (
            new_field(
                "Content-Type", f'multipart/{subtype}{more}; boundary="{boundary}"'
            ),
        ),
        body + b"--" + boundary.encode() + b"--\r\n",
    )


def verbatim(content_type: str, body: bytes) -> Entity:
    """Returns a body that is sent unencoded: the parts of a DSN must be (RFC 3464 §2)."""
    encoding = "7bit" if body.isascii() else "8bit"
    return _entity(content_type, encoding, body)


def is_seven_bit(body: bytes) -> bool:
    """Returns whether any transport carries the body unchanged (RFC 2045 §2.7)."""
    lines = body.count(b"\r\n")
    return (
        body.isascii()
        and b"\0" not in body
        and body.count(b"\r") == lines == body.count(b"\n")
        and max(map(len, body.split(b"\r\n"))) <= MAX_LINE_OCTETS
    )


def _entity(content_type: str, encoding: str, body: bytes, *more: Field) -> Entity:
    return Entity(
        (
            new_field("Content-Type", content_type),
            new_field("Content-Transfer-Encoding", encoding),
            *more,
        ),
        body,
    )


def base64(data: bytes) -> bytes:
    """Returns the data in base64, in lines of 76 characters (RFC 2045 §6.8)."""
    encoded = b64encode(data)
    lines = range(0, len(encoded), _BASE64_LINE)
    return b"".join(encoded[at : at + _BASE64_LINE] + b"\r\n" for at in lines)
