"""Checks the parameters of MAIL and RCPT that ask for notifications (RFC 3461 §4).

They are passed on as given, so that one which a next hop refuses would bounce a message
that was accepted here.
"""

from __future__ import annotations

import re

from engine.mail.dsn_fields import from_xtext
from engine.mail.smtp_path import SyntaxErrorInCommand

# Characters (RFC 3461 §4, number 5 and 6).
MAX_ENVELOPE_ID, MAX_ORIGINAL = 100, 500

XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
_PRINTABLE = re.compile(r"[ -~]*+")
_ADDRESS_TYPE = re.compile(r"[!#$%&'*+\-/0-9?A-Z^_`a-z{|}~]++")
# RFC 6533 §3: with the characters themselves, or spelt by their numbers.
_UTF_8_ADDRESS = re.compile(
    r"(?:[!-*,-<>-\[\]-~\x80-\U0010ffff]|\\x\{[0-9A-F]{2,6}\})++"
)
_SPELT = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_NOTIFY = {"NEVER", "SUCCESS", "FAILURE", "DELAY"}

_HOW = "write + followed by two of 0-9 and A-F for + and = and all but printable ASCII"


def wants_full(value: str | None) -> bool:
    """Returns whether RET asks for the whole message. Raises SyntaxErrorInCommand."""
    asked = (value or "").upper()
    if asked not in {"FULL", "HDRS"}:
        raise SyntaxErrorInCommand("RET must be FULL or HDRS")
    return asked == "FULL"


def envelope_id(value: str | None) -> str:
    """Returns ENVID as given, in xtext. Raises SyntaxErrorInCommand."""
    if not value:
        raise SyntaxErrorInCommand("ENVID needs a value")
    if len(value) > MAX_ENVELOPE_ID:
        text = f"ENVID may have up to {MAX_ENVELOPE_ID} characters"
        raise SyntaxErrorInCommand(text)
    if not XTEXT.fullmatch(value):
        raise SyntaxErrorInCommand(f"ENVID is not xtext: {_HOW}")
    if not _PRINTABLE.fullmatch(from_xtext(value)):
        raise SyntaxErrorInCommand("ENVID may stand for printable ASCII only")
    return value


def original_recipient(value: str | None) -> str:
    """Returns ORCPT in ASCII, in xtext. Raises SyntaxErrorInCommand.

    Characters of an international address are spelt by their numbers, which every next
    hop takes (RFC 6533 §3).
    """
    kind, _, address = (value or "").partition(";")
    if not _ADDRESS_TYPE.fullmatch(kind) or not address:
        text = "ORCPT needs a type and an address, such as rfc822;name@example.com"
        raise SyntaxErrorInCommand(text)
    if kind.lower() == "utf-8":
        address = _international(address)
    elif not XTEXT.fullmatch(address):
        raise SyntaxErrorInCommand(f"ORCPT is not xtext: {_HOW}")
    elif not _PRINTABLE.fullmatch(from_xtext(address)):
        raise SyntaxErrorInCommand("ORCPT may stand for printable ASCII only")
    kept = f"{kind};{address}"
    if len(kept) > MAX_ORIGINAL:
        raise SyntaxErrorInCommand(f"ORCPT may have up to {MAX_ORIGINAL} characters")
    return kept


def _international(address: str) -> str:
    numbers = [int(number, 16) for number in _SPELT.findall(address)]
    is_readable = all(
        number < 0x110000 and chr(number).isprintable() for number in numbers
    )
    if not _UTF_8_ADDRESS.fullmatch(address) or not is_readable:
        text = r"ORCPT of type utf-8 needs \x{2B} for + and so on (RFC 6533)"
        raise SyntaxErrorInCommand(text)
    return "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in address)


def notify(value: str | None) -> str:
    """Returns NOTIFY with each keyword once (RFC 3461 §4.1).

    Raises SyntaxErrorInCommand.
    """
    wanted = set((value or "").upper().split(","))
    if not wanted <= _NOTIFY:
        text = "NOTIFY takes NEVER, or SUCCESS, FAILURE and DELAY with commas between"
        raise SyntaxErrorInCommand(text)
    if "NEVER" in wanted and len(wanted) > 1:
        raise SyntaxErrorInCommand("NOTIFY takes NEVER only by itself")
    return ",".join(sorted(wanted))
