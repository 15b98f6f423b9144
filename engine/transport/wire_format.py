"""Prepares a message for a next hop: converts it where the server takes 7-bit mail only."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, cast

from engine.blobs import store
from engine.mail.errors import PermanentFailure
from engine.mail.mime import seven_bit_conversion
from engine.mail.smtp_replies import Reply
from engine.storage import content
from engine.storage.content import INLINE_LIMIT
from engine.storage.content_keys import Holding
from engine.transport.dot_stuffing import on_the_wire

CHUNK_OCTETS = 128 * 1024

NOT_EIGHT_BIT = Reply(554, "5.6.3", "The next hop takes no 8-bit content")
WHAT_TO_DO = (
    "The recipient's server takes no 8-bit text, and the message cannot be converted: "
    "{why}. Send it in base64 or quoted-printable encoding with plain header fields, or "
    "ask the recipient's IT department to switch on 8BITMIME"
)
# One thread, because a message is in memory while it is converted.
_CONVERTING = ThreadPoolExecutor(1, thread_name_prefix="convert")


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A header and an open body to send. The caller closes it."""

    header: bytes
    body: BinaryIO
    size: int
    is_converted: bool = False

    @classmethod
    async def unconverted(cls, header: bytes, holding: Holding) -> WireMessage:
        """Returns the message as it is."""
        # In a thread, because it may look the content's key up.
        own = len(await asyncio.to_thread(content.header, holding))
        size = holding.content.size - own + len(header)
        return cls(header, await content.open_in_thread(holding), size)

    @property
    def is_seven_bit(self) -> bool:
        """Whether all octets are ASCII. Reads the whole body, then rewinds it."""
        try:
            return self.header.isascii() and all(map(bytes.isascii, self.chunks()))
        finally:
            self.body.seek(0)

    def close(self) -> None:
        """Closes the body's file."""
        self.body.close()

    async def wire(self) -> AsyncIterator[bytes]:
        """Yields the octets after DATA; a large body is read in a thread, by chunks."""
        chunks = on_the_wire(self._whole())
        if self.size <= INLINE_LIMIT:
            for chunk in chunks:
                yield chunk
            return
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk

    def _whole(self) -> Iterator[bytes]:
        yield self.header
        yield from self.chunks()

    def chunks(self) -> Iterator[bytes]:
        """Yields the body from where it stands, by CHUNK_OCTETS."""
        while chunk := self.body.read(CHUNK_OCTETS):
            yield chunk


async def prepare(
    header: bytes, holding: Holding, *, takes_eight_bit: bool
) -> WireMessage:
    """Returns the message in a form that the next hop accepts (RFC 6152 §3).

    Raises PermanentFailure, whose text says what to do, where that is impossible.
    """
    message = await WireMessage.unconverted(header, holding)
    try:
        if takes_eight_bit or await asyncio.to_thread(lambda: message.is_seven_bit):
            return message
        loop = asyncio.get_running_loop()
        converted = await loop.run_in_executor(_CONVERTING, _convert, message)
    except BaseException:
        message.close()
        raise
    message.close()
    return converted


def _convert(message: WireMessage) -> WireMessage:
    try:
        header, body = seven_bit_conversion.convert(message.header, message.body.read())
    except seven_bit_conversion.CannotConvertError as error:
        text = WHAT_TO_DO.format(why=error.why)
        raise PermanentFailure(NOT_EIGHT_BIT.saying(text)) from error
    folder = str(store.spool_folder())
    file = tempfile.SpooledTemporaryFile(max_size=INLINE_LIMIT, dir=folder)  # noqa: SIM115
    file.write(body)
    file.seek(0)
    return WireMessage(header, cast(BinaryIO, file), len(header) + len(body), True)
