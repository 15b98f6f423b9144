"""One part of a MIME message: its type, names and content (RFC 2045, RFC 2046).

Nothing here raises on hostile content, and nothing is decoded before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from engine.mail.header import HeaderBlock
from engine.mail.mime import charset, file_names, parameters, transfer_encoding
from engine.mail.mime.boundaries import Region

# Octets, encoded, up to which a part is decoded to know its size.
EXACT_SIZE = 64 * 1024

# A message inside a message: RFC 2046 §5.2.1, RFC 6532 §3.7 and RFC 5537 §6.2.
MESSAGES = frozenset(("message/rfc822", "message/global", "message/news"))

_SHOWN = ("text/plain", "text/html")


class Part(NamedTuple):
    """A part that is not a multipart: a text, a file, or an attached message.

    `path` numbers it as IMAP does (RFC 9051 §6.4.5): "1", "2.1". `filename` is the one
    name under which we show and serve it: `file_names.canonical`. `content_id` has no
    brackets. `is_nested` says that it belongs to an attached message. `header` holds the
    fields that describe it, `parameters` those of its Content-Type.
    """

    path: str
    content_type: str
    charset: str
    filename: str
    disposition: str
    content_id: str
    encoding: str
    region: Region
    is_nested: bool
    header: HeaderBlock
    parameters: Mapping[str, str] = MappingProxyType({})

    @property
    def names(self) -> set[str]:
        """Every name that some program may give it. Raises TooManyNamesError."""
        fields = self._values("Content-Disposition", "Content-Type")
        return {*file_names.written_in(fields), *self._name_in_content()}

    @property
    def content_types(self) -> set[str]:
        """Every type that some program may take it for: fields may be repeated."""
        return {self.content_type, *self._main_values("Content-Type")}

    @property
    def is_ambiguous(self) -> bool:
        """Whether programs disagree about where it ends or how it is encoded.

        RFC 2045 §3 allows each field once; of two, some programs read the last.
        """
        return (
            len(self._main_values("Content-Type")) > 1
            or len(self._main_values("Content-Transfer-Encoding")) > 1
            or any(
                parameters.repeats(v, "boundary") for v in self._values("Content-Type")
            )
        )

    def _name_in_content(self) -> Iterator[str]:
        if self.encoding in transfer_encoding.UUENCODED:
            octets = self.region.octets()
            yield from map(charset.decode, transfer_encoding.uu_names(octets))

    def _main_values(self, name: str) -> set[str]:
        return set(map(parameters.main_value, self._values(name)))

    def _values(self, *names: str) -> list[bytes]:
        return [found.value for name in names for found in self.header.all(name)]

    def data(self) -> bytes:
        """Returns the content, decoded from its transfer encoding."""
        region = self.region
        return transfer_encoding.decode(
            region.source, self.encoding, region.start, region.end
        )

    def start(self, octets: int) -> bytes:
        """Returns the first octets of the content, without decoding the rest."""
        # Quoted-printable takes three octets for one, other encodings less; the fourth
        # leaves room for line ends.
        encoded = self.region.source[
            self.region.start : min(self.region.end, self.region.start + 4 * octets)
        ]
        return transfer_encoding.decode(encoded, self.encoding)[:octets]

    def has_nul(self, octets: int) -> bool:
        """Returns whether a NUL is among the first octets of the content."""
        region = self.region
        encoded = region.source[
            region.start : min(region.end, region.start + 4 * octets)
        ]
        if self.encoding not in transfer_encoding.ENCODED:
            return b"\0" in encoded[:octets]
        if self.encoding == "quoted-printable" and b"=00" not in encoded:
            return b"\0" in encoded and b"\0" in self.start(octets)
        return b"\0" in self.start(octets)

    @property
    def size(self) -> int:
        """Octets of the content; an estimate for a large part."""
        encoded = self.region.end - self.region.start
        if self.encoding not in transfer_encoding.ENCODED:
            return encoded
        if encoded > EXACT_SIZE and self.encoding == "base64":
            return encoded * 57 // 78  # RFC 2045 §6.8: lines of 76, each with CR LF
        return encoded if encoded > EXACT_SIZE else len(self.data())

    def text(self) -> str:
        """Returns the content of a text part, in the charset that it is really in."""
        is_html = self.content_type == "text/html"
        return charset.decode(self.data(), self.charset, is_html=is_html)

    @property
    def is_attachment(self) -> bool:
        """Whether some program offers it as a file, rather than showing it in the message.

        For decisions about what may travel. What we show is decided in
        `engine.mail.reading`.
        """
        if self.disposition == "attachment" or self.content_type in MESSAGES:
            return True
        if self.content_type in _SHOWN:
            return bool(self.filename)
        return not (self.content_id and self.content_type.startswith("image/"))
