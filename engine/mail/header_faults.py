"""Says where a header is malformed and how, in words for the one who wrote it.

Of what was written only a few printable characters are repeated: the words go into a
reply, and from there into bounces, logs and traces.
"""

from __future__ import annotations

WORD, ELEMENT = (
    20,
    40,
)  # characters of a line, and of an address list, that are repeated


def no_field(raw: bytes, position: int) -> str:
    """Describes the line at the position, which is no header field (RFC 5322 §2.2)."""
    line = raw[position:].partition(b"\r\n")[0]
    where = f"Line {_line_number(raw, position)} of the header"
    if not line:
        return f"{where} is empty"
    if line[:1] in b" \t":
        return (
            f"{where} begins with a space, but follows no field that it could continue"
        )
    where += f', which begins with "{start(line.split()[0], WORD)}",'
    if line.startswith((b"From ", b">From ")):
        return (
            f"{where} is no field: it separates messages in a mailbox file; remove it"
        )
    name, colon, _ = line.partition(b":")
    if not colon:
        return (
            f"{where} is no field: it has no colon after a name. "
            "An empty line must stand before the text of the message"
        )
    if not name:
        return f"{where} is no field: it has no name before its colon"
    return (
        f"{where} is no field: the name before a colon may hold only ASCII characters, "
        "without spaces"
    )


def holds(raw: bytes, position: int, what: str) -> str:
    """Describes an octet at the position that no header may hold."""
    return f"Line {_line_number(raw, position)} of the header holds {what}"


def start(octets: bytes, limit: int) -> str:
    """Returns the beginning of octets, in printable ASCII without quotation marks."""
    shown = octets[:limit].decode("ascii", "replace")
    text = "".join(c if c.isascii() and c.isprintable() else "?" for c in shown)
    dots = "..." if len(octets) > limit else ""
    return text.replace('"', "'") + dots


def _line_number(raw: bytes, position: int) -> int:
    return raw.count(b"\r\n", 0, position) + 1
