"""Parses the arguments of MAIL FROM and RCPT TO (RFC 5321 §4.1.2, RFC 6531 §3.3)."""

from __future__ import annotations

import re

from engine.mail.address import Address, InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.mail.smtp_replies import BAD_SYNTAX

# Characters. RFC 5321 §4.5.3.1.4 allows 512 octets; RFC 3461, 4954 and 6531 add to it.
MAX_ARGUMENT_LENGTH = 2000
MAX_PARAMETERS = 20

_PATH = re.compile(r'<((?:[^<>"\\\s]++|"(?:[^"\\]++|\\.)*+")*+)>(?: ++(.*))?', re.S)
_PARAMETER = re.compile(r"([0-9A-Za-z][0-9A-Za-z-]*+)(?:=([!-<>-~\x80-\U0010ffff]++))?")


class SyntaxErrorInCommand(PermanentFailure):
    """The argument of a command is malformed: 501."""

    def __init__(self, text: str) -> None:
        super().__init__(BAD_SYNTAX.saying(text))


def parse_path(
    argument: str, *, postmaster_at: str = ""
) -> tuple[Address | None, dict[str, str | None]]:
    """Returns the address and parameters of an argument: "<a@b> SIZE=1 BODY=8BITMIME".

    The address is None for the null path, `<>`. Names of parameters are in capitals,
    values as given, None for a parameter without `=`. A bare `<postmaster>` is the one
    at the domain `postmaster_at`, when given (RFC 5321 §4.1.1.3). Raises
    InvalidAddressError for a malformed address, SyntaxErrorInCommand for the rest.
    """
    if len(argument) > MAX_ARGUMENT_LENGTH:
        raise SyntaxErrorInCommand("The argument is too long")
    if not argument.isprintable():
        raise SyntaxErrorInCommand("The argument holds a control character")
    found = _PATH.fullmatch(argument.strip(" "))
    if not found:
        raise SyntaxErrorInCommand("The address must be in angle brackets")
    path, rest = found[1], found[2] or ""
    return _address(path, postmaster_at), _parameters(rest)


def _address(path: str, postmaster_at: str) -> Address | None:
    if not path:
        return None
    if path.startswith("@"):
        # RFC 5321 §4.1.1.3 lets servers ignore source routes or refuse them. Refusing
        # leaves no doubt about which address is meant.
        raise InvalidAddressError("Source routes are not accepted")
    if path.lower() == "postmaster" and postmaster_at:
        return Address(path, postmaster_at)
    return Address.parse(path)


def _parameters(text: str) -> dict[str, str | None]:
    words = [word for word in text.split(" ") if word]
    if len(words) > MAX_PARAMETERS:
        raise SyntaxErrorInCommand("There are too many parameters")
    parameters: dict[str, str | None] = {}
    for word in words:
        found = _PARAMETER.fullmatch(word)
        if not found:
            text = f"The parameter {word[:40]!a} is malformed: expected NAME=value"
            raise SyntaxErrorInCommand(text)
        name = found[1].upper()
        if name in parameters:
            raise SyntaxErrorInCommand(f"{name} is given twice")
        parameters[name] = found[2]
    return parameters
