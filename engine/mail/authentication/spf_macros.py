"""Checks and expands the macros of SPF records (RFC 7208 §7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

# Of an expanded domain: without the final dot (§7.3).
MAX_DOMAIN = 253

_MACRO = r"%\{([A-Za-z])([0-9]*)(r?)([-.+,/_=]*)\}"
_PIECE = re.compile(rf"{_MACRO}|%%|%_|%-|[!-$&-~]", re.IGNORECASE)
# §7.1: a domain ends in a macro, or in a label that is not all digits.
_END = re.compile(
    r"(?:.*\.(?:[0-9]*[A-Za-z][0-9A-Za-z]*|[0-9A-Za-z]+-[0-9A-Za-z-]*[0-9A-Za-z])\.?"
    rf"|.*{_MACRO})",
    re.DOTALL,
)
_LETTERS = frozenset("slodiphv")
_LITERALS = {"%%": "%", "%_": " ", "%-": "%20"}


class SpfSyntaxError(ValueError):
    """A record is malformed; the text says how."""


@dataclass(frozen=True, slots=True)
class Macros:
    """What macros stand for. `validated` is the name that %{p} stands for."""

    sender: str
    domain: str
    helo: str
    address: IPv4Address | IPv6Address
    validated: str = "unknown"

    def value(self, letter: str) -> str:
        """Returns what a letter stands for (§7.2)."""
        local, _, sender_domain = self.sender.rpartition("@")
        is_four = self.address.version == 4
        dotted = str(self.address) if is_four else ".".join(_nibbles(self.address))
        return {
            "s": self.sender,
            "l": local,
            "o": sender_domain,
            "d": self.domain,
            "i": dotted,
            "p": self.validated,
            "h": self.helo,
            "v": "in-addr" if is_four else "ip6",
        }[letter]


def check_string(text: str) -> None:
    """Raises SpfSyntaxError unless the text is a macro-string (§7.1)."""
    position = 0
    while position < len(text):
        found = _PIECE.match(text, position)
        if found is None:
            raise SpfSyntaxError("not a macro")
        letter = (found[1] or "s").lower()
        # %{c}, %{r} and %{t} are for explanations only.
        if letter not in _LETTERS or (found[2] and not int(found[2][:9] or "0")):
            raise SpfSyntaxError("not a macro")
        position = found.end()


def domain_spec(text: str) -> str:
    """Returns the text, which must be a domain-spec (§7.1). Raises SpfSyntaxError."""
    check_string(text)
    if not _END.fullmatch(text):
        raise SpfSyntaxError("not a domain")
    return text


def needs_validated_name(text: str) -> bool:
    """Returns whether %{p} is in a domain, for which names have to be looked up."""
    return "%{p" in text.lower()


def expand(text: str, macros: Macros) -> str:
    """Returns the domain that a checked domain-spec stands for.

    Of a domain that is too long, labels on the left are left out (§7.3).
    """
    if "%" in text:
        text = _PIECE.sub(lambda found: _expanded(found, macros), text)
    text = text.removesuffix(".")
    if len(text) > MAX_DOMAIN:
        # One more than may stay, so that a label that fits exactly is kept.
        text = text[-MAX_DOMAIN - 1 :].partition(".")[2]
    return text


def _expanded(found: re.Match[str], macros: Macros) -> str:
    if not found[1]:
        return _LITERALS.get(found[0], found[0])
    parts = re.split(f"[{re.escape(found[4] or '.')}]", macros.value(found[1].lower()))
    if found[3]:
        parts.reverse()
    if found[2]:
        parts = parts[-int(found[2][:9]) :]
    value = ".".join(parts)
    return quote(value, safe="-._~") if found[1].isupper() else value


def _nibbles(address: IPv4Address | IPv6Address) -> str:
    return f"{int(address):032x}"
