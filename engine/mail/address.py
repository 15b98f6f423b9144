"""Parses the address of a mailbox, strictly (RFC 5321 §4.1.2, RFC 6531 §3.3)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

# RFC 5321 §4.5.3.1.1 and §4.5.3.1.3 (256 with the angle brackets), in octets.
MAX_LOCAL_OCTETS = 64
MAX_ADDRESS_OCTETS = 254
# Characters. No domain in use comes near it, and IDNA takes quadratic time.
MAX_IDN_LENGTH = 120

# RFC 5321 Dot-string, with UTF-8 as in RFC 6531. Possessive quantifiers here and below:
# without backtracking no input takes more than linear time.
_DOT_STRING = re.compile(
    r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++"
    r"(?:\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]++)*"
)
_QUOTED_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_TO_QUOTE = re.compile(r'(["\\])')
_LABEL = r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?"
# The last label is not all digits (RFC 3696 §2), so that an IPv4 address is no domain.
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")


class InvalidAddressError(ValueError):
    """The text is not the address of a mailbox; the message says why, to its sender."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: `local` without quotes, `domain` as A-labels in lower case.

    Raises InvalidAddressError when the parts do not form an address, so that an Address
    is always safe to write into a header or a command.
    """

    local: str
    domain: str

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise InvalidAddressError("The part after the @ is not a domain name")
        # isprintable() excludes controls, surrogates, odd spaces and direction marks.
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
        """Returns the address in the text, which must hold nothing else.

        Raises InvalidAddressError, also for comments, source routes, address literals
        and white space around the address.
        """
        # Checked before the text reaches the cache. Quoting at most doubles a local
        # part, and a UTF-8 domain is never longer in characters than its A-labels.
        if len(text) > 2 * MAX_ADDRESS_OCTETS:
            raise InvalidAddressError("The address is too long")
        return _parse(text)

    @property
    def quoted_local(self) -> str:
        """The local part as it stands in an address, in quotes when it needs them."""
        if _DOT_STRING.fullmatch(self.local):
            return self.local
        return '"' + _TO_QUOTE.sub(r"\\\1", self.local) + '"'

    @property
    def key(self) -> str:
        """The form for look-ups: casefolded, with one form (NFC) of accented letters.

        RFC 5321 §2.4 leaves the case of local parts to the receiving host; here it
        never distinguishes mailboxes.
        """
        local = self.quoted_local
        if not local.isascii():
            # Casefolding may decompose letters again: normalised before and after.
            local = unicodedata.normalize("NFC", local)
            local = unicodedata.normalize("NFC", local.casefold())
        return f"{local.casefold()}@{self.domain}"

    def at(self, domain: str) -> Address:
        """Returns the local part at another domain.

        Raises InvalidAddressError when that is too long.
        """
        return _at(self, domain)


@lru_cache(maxsize=4096)
def _at(address: Address, domain: str) -> Address:
    return Address(address.local, domain)


def normal_domain(text: str) -> str:
    """Returns a domain name as A-labels in lower case; raises InvalidAddressError."""
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
    """Returns an international domain name as A-labels; empty when it is not valid."""
    try:
        if domain.isascii():
            idna.decode(domain)
            return domain
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        return ""
