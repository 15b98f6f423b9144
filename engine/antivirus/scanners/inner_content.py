"""A message or file inside a message, which is scanned separately as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from engine.mail.mime import transfer_encoding
from engine.mail.mime.boundaries import Region
from engine.mail.mime.byte_source import ByteSource


@dataclass(frozen=True, slots=True)
class Inner:
    """An inner message or file, which is also scanned separately.

    Where possible it is a region of the message, neither copied nor decoded.
    """

    region: Region = field(repr=False)
    is_message: bool = True
    encoding: str = ""
    spooled: ByteSource | None = field(default=None, repr=False)

    def in_spool(self, body: bytes, spooled: ByteSource) -> Inner:
        """Returns it as a region of the spooled body instead of the body in memory."""
        if self.region.source is not body:
            return self
        region = Region(b"", self.region.start, self.region.end)
        return replace(self, region=region, spooled=spooled)

    def pieces(self) -> Iterator[bytes]:
        """Yields its content, decoded piece by piece."""
        region = self.region
        source = region.source if self.spooled is None else self.spooled
        return transfer_encoding.pieces(source, self.encoding, region.start, region.end)
