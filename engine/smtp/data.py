"""The bytes between 354 and the closing dot, read in chunks."""

from __future__ import annotations

# RFC 5321 §4.1.1.4: the dot that ends the data stands alone on its line.
END = b"\r\n.\r\n"
_PREFIXES = tuple(END[:length] for length in range(len(END) - 1, 0, -1))


class DataReader:
    """Takes raw chunks, gives the message's bytes without the transparent dots.

    Never looks at single lines: finding and counting run at the speed of memory, so
    that one large message does not hold up everybody else's.
    """

    def __init__(self) -> None:
        # DATA begins as if a line had just ended, so that a first-line dot counts.
        self._held = b"\r\n"
        self._strip = 2
        self.is_done = False
        self.has_bare_newline = False
        self.has_nul = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk and return what is certain to be content.

        After the closing dot `is_done` is true and `rest` holds the bytes behind it:
        commands that the peer sent ahead.
        """
        buffer = self._held + chunk
        end = buffer.find(END)
        if end >= 0:
            self.is_done = True
            self.rest = buffer[end + len(END) :]
            self._held = b""
            return self._content(buffer[: end + 2])
        self._held = next((p for p in _PREFIXES if buffer.endswith(p)), b"")
        return self._content(buffer[: len(buffer) - len(self._held)])

    def _content(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        # RFC 5321 §2.3.8: CR and LF stand only together. Relaying them apart would
        # make us the sending half of a smuggling pair.
        pairs = raw.count(b"\r\n")
        if raw.count(b"\n") != pairs or raw.count(b"\r") != pairs:
            self.has_bare_newline = True
        if b"\0" in raw:
            self.has_nul = True
        if b"\r\n." in raw:
            raw = raw.replace(b"\r\n.", b"\r\n")
        if self._strip:
            raw, self._strip = raw[self._strip :], 0
        return raw
