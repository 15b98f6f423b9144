"""The address of a mailbox, parsed strictly (RFC 5321 §4.1.2, RFC 6531 §3.3)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

# RFC 5321 §4.5.3.1.1 and §4.5.3.1.3 (256 with the angle brackets), in octets
MAX_LOCAL_OCTETS = 64
MAX_ADDRESS_OCTETS = 254
# In characters. None in use comes near it, and the time IDNA takes is quadratic.
MAX_IDN_LENGTH = 120

# RFC 5321 Dot-string, with UTF-8 as in RFC 6531
_DOT_STRING = re.compile(
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++"
    r"(?:\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++)*"
)
_QUOTED_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_TO_QUOTE = re.compile(r'(["\\])')
_LABEL = r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?"
# The last label holds a letter (RFC 3696 §2), so an IPv4 address is no domain.
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")


class InvalidAddressError(ValueError):
    """The text is not the address of a mailbox."""


@dataclass(frozen=True, slots=True)
class Address:
    """A local part, without quotes, at a domain, an A-label name in lower case.

    Raises InvalidAddressError when the parts cannot make an address, so that an
    Address is always safe to write into a header or a command.
    """

    local: str
    domain: str

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise InvalidAddressError("The part after the @ is not a domain name")
        # isprintable: no controls, surrogates, odd spaces or direction marks
        if not self.local or not self.local.isprintable():
            raise InvalidAddressError("The part before the @ is not valid")
        octets = len(self.quoted_local.encode())
        if octets > MAX_LOCAL_OCTETS:
            raise InvalidAddressError("The part before the @ is too long")
        if octets + len("@") + len(self.domain) > MAX_ADDRESS_OCTETS:
            raise InvalidAddressError("The address is too long")

    def __str__(self) -> str:
        return f"{self.quoted_local}@{self.domain}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that the text spells; raises InvalidAddressError.

        No comments, routes, address literals or white space around it.
        """
        # An octet is at least half a character when quoted, and a UTF-8 domain
        # is never longer in characters than its A-label.
        if len(text) > 2 * MAX_ADDRESS_OCTETS:
            raise InvalidAddressError("The address is too long")
        return _parse(text)

    @property
    def quoted_local(self) -> str:
        """The local part as it is written, in quotes when it needs them."""
        if _DOT_STRING.fullmatch(self.local):
            return self.local
        return '"' + _TO_QUOTE.sub(r"\\\1", self.local) + '"'

    @property
    def key(self) -> str:
        """The form for look-ups: folded in case, one form of each accented letter."""
        local = self.quoted_local
        if not local.isascii():
            local = unicodedata.normalize("NFC", local)
            local = unicodedata.normalize("NFC", local.casefold())
        return f"{local.casefold()}@{self.domain}"

    def at(self, domain: str) -> Address:
        """The same local part elsewhere; raises InvalidAddressError when too long."""
        return Address(self.local, domain)


def normal_domain(text: str) -> str:
    """A domain name as an A-label in lower case; raises InvalidAddressError."""
    domain = text.lower()
    if not domain.isascii() or "xn--" in domain:
        domain = _a_label(domain) if len(domain) <= MAX_IDN_LENGTH else ""
    if len(domain) > MAX_ADDRESS_OCTETS or not _DOMAIN.fullmatch(domain):
        raise InvalidAddressError("The part after the @ is not a domain name")
    return domain


@lru_cache(maxsize=4096)  # the same few correspondents, message after message
def _parse(text: str) -> Address:
    local, at, domain = text.rpartition("@")
    if not at:
        raise InvalidAddressError("An address has an @ in the middle")
    quoted = _QUOTED_STRING.fullmatch(local)
    if quoted:
        local = _QUOTED_PAIR.sub(r"\1", quoted[1])
    elif not _DOT_STRING.fullmatch(local):
        raise InvalidAddressError("The part before the @ is not valid")
    return Address(local, normal_domain(domain))


@lru_cache(maxsize=1024)  # validity takes IDNA up to a millisecond
def _a_label(domain: str) -> str:
    """The A-label of an international domain name; empty when it is not valid."""
    try:
        if domain.isascii():
            idna.decode(domain)
            return domain
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        return ""
