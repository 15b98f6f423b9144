"""Reads the message that follows DATA, however large, without blocking other sessions."""

from __future__ import annotations

import asyncio

from engine.mail import smtp_replies
from engine.mail.smtp_replies import Reply
from engine.smtp import message_intake
from engine.smtp.message_acceptance import ReceivedMessage
from engine.smtp.message_intake import MessageIntake, MessageSource, unbroken
from engine.smtp.server_context import ServerContext

# RFC 5321 §4.1.1.4: the dot that ends the data stands alone on its line.
END = b"\r\n.\r\n"
_PREFIXES = tuple(END[:length] for length in range(len(END) - 1, 0, -1))


class DataReader:
    """Takes chunks of DATA and returns the message without its transparent dots.

    It never looks at single lines: searching and counting run at the speed of memory,
    so that one large message does not hold up the event loop for all others.
    """

    def __init__(self) -> None:
        # DATA begins as if a line had just ended, so that a dot on the first line counts.
        self._held = b"\r\n"
        self._strip = 2
        self.is_done = False
        self.has_bare_newline = False
        self.has_nul = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Takes a chunk and returns the octets that are certain to be content.

        After the closing dot, `is_done` is True and `rest` holds the octets behind it:
        commands that the client has pipelined.
        """
        buffer = self._held + chunk
        end = buffer.find(END)
        if end >= 0:
            self.is_done = True
            self.rest = buffer[end + len(END) :]
            self._held = b""
            return self._content(buffer[: end + 2])
        # The network may cut the end mark anywhere: hold back what may be its beginning.
        self._held = next((p for p in _PREFIXES if buffer.endswith(p)), b"")
        return self._content(buffer[: len(buffer) - len(self._held)])

    def _content(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        if message_intake.has_bare_newline(raw):
            self.has_bare_newline = True
        if b"\0" in raw:
            self.has_nul = True
        if b"\r\n." in raw:
            raw = raw.replace(b"\r\n.", b"\r\n")
        if self._strip:
            raw, self._strip = raw[self._strip :], 0
        return raw


async def read_message(
    source: MessageSource, message: ReceivedMessage, server: ServerContext
) -> Reply:
    """Sends 354, reads the message, accepts it, and returns the reply for the client.

    Raises ConnectionResetError when the client hangs up or is too slow.
    """
    intake = MessageIntake(message, server)
    is_complete = False
    try:
        with unbroken(source, message.peer.address):
            source.push("354 End with a dot alone on a line")
            async with asyncio.timeout(message_intake.PATIENCE) as deadline:
                refusal = await _read(source, intake, deadline)
            if refusal is not None:
                return refusal
            # Reading may take a quarter of an hour, in which the sender may be signed out.
            if not await source.is_sign_in_valid():
                return smtp_replies.SIGN_IN_ENDED
        is_complete = True
    finally:
        if not is_complete:
            await intake.release()
    return await intake.accept()


async def _read(
    source: MessageSource, intake: MessageIntake, deadline: asyncio.Timeout
) -> Reply | None:
    """Reads all of a message; returns a refusal where its form or the scanner asks one."""
    data = DataReader()
    began = asyncio.get_running_loop().time()
    seen = 0
    while not data.is_done:
        chunk = await source.read_chunk()
        content = data.feed(chunk)
        seen += len(chunk)
        deadline.reschedule(began + message_intake.seconds_for(seen))
        await intake.take(content, arrived=len(chunk))
    source.push_back(data.rest)
    return intake.refusal(has_bare_newline=data.has_bare_newline, has_nul=data.has_nul)
