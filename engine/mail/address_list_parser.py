"""Parses address lists (RFC 5322 §3.4 and the obsolete syntax of §4.4) in linear time.

Anyone can send any header, so that no input may take quadratic time. What is malformed
is skipped, never guessed at: a guess could differ from what a mail program shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from engine.mail.address import Address, InvalidAddressError

# Elements of a list; each new international domain name counts for many, because its
# validation takes up to a millisecond.
MAX_WORK = 5000
IDNA_WORK = 25
# An element with more tokens is not parsed, nor is what follows it.
MAX_TOKENS = 1000

Span = tuple[int, int]

ATEXT = rb"0-9A-Za-z!#$%&'*+/=?^_`{|}~.\x80-\xff-"
ENDS = (b",", b";", b":")

# An unterminated quoted string takes all the rest, else each quote in it would be tried
# again. A comment is found by counting, since comments nest.
_TOKEN = re.compile(
    rb"(?P<space>[ \t\r\n]++)"
    rb"|(?P<atom>[%b]++)"
    rb"|(?P<mark>[<>,;:@])"
    rb'|(?P<quoted>"(?:[^"\\]++|\\.)*+")'
    rb"|(?P<literal>\[[^][\\]*+\])"
    rb"|(?P<comment>\()"
    rb'|(?P<junk>".*+|.)' % ATEXT,
    re.DOTALL,
)
_IN_COMMENT = re.compile(rb"[()]|\\.", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_SEPARATORS = re.compile(rb"[ \t\r\n,;]*+")
_DTEXT = rb"0-9A-Za-z.\x80-\xff-"

# The shape of nearly every mailbox; only the others are parsed token by token.
_SIMPLE = re.compile(
    rb'(?:("[^"\\]*+"|[%b \t\r\n]*+)[ \t\r\n]*+<([%b]++)@([%b]++)>|([%b]++)@([%b]++))'
    rb"[ \t\r\n]*+(?:,|\Z)" % (ATEXT, ATEXT, _DTEXT, ATEXT, _DTEXT)
)


class Token(NamedTuple):
    """A token (RFC 5322 §3.2) and its position in the value."""

    kind: str | None
    start: int
    end: int
    text: bytes


class Mailbox(NamedTuple):
    """One element of a list, and the positions of the words of its address.

    `start` is where the element begins. `address` is None when it holds none. `is_plain`
    is False when other software may read another address here.
    """

    start: int

    address: Address | None
    name: bytes
    local: list[Span]
    domain: list[Span]
    is_plain: bool


def mailboxes(value: bytes) -> Iterator[Mailbox]:
    """Yields every mailbox in order, those of groups too.

    Of a list that is too long, the last one stands for the rest, without an address.
    """
    left, seen = MAX_WORK, set[bytes]()
    position = _after_separators(value, 0)
    while position < len(value):
        if left <= 0:
            yield Mailbox(position, None, b"", [], [], False)
            return
        mailbox, position = _next(value, position)
        left -= 1
        if mailbox:
            yield mailbox
            domain = value[mailbox.domain[0][0] : position] if mailbox.domain else b""
            if domain not in seen and not _is_cheap(domain):
                seen.add(domain)
                left -= IDNA_WORK
        position = _after_separators(value, position)


def _next(value: bytes, position: int) -> tuple[Mailbox | None, int]:
    """Returns the mailbox of the next element, if it holds one, and where that ends."""
    found = _SIMPLE.match(value, position)
    if found:
        return _simple(found), found.end()
    tokens, position = _element(value, position)
    return _interpreted(tokens), position


def _is_cheap(domain: bytes) -> bool:
    return domain.isascii() and b"xn--" not in domain.lower()


def _after_separators(value: bytes, position: int) -> int:
    found = _SEPARATORS.match(value, position)
    return found.end() if found else position


def _simple(found: re.Match[bytes]) -> Mailbox:
    name, local, domain, bare_local, bare_domain = found.groups()
    at = 2 if local else 4
    address = _address(b"%b@%b" % (local or bare_local, domain or bare_domain))
    phrase = b" ".join(name.strip(b'"').split()) if name else b""
    spans = [found.span(at)], [found.span(at + 1)]
    return Mailbox(found.start(), address, phrase, *spans, bool(address))


def _element(value: bytes, position: int) -> tuple[list[Token], int]:
    """Returns the tokens up to and including the next separator, and where that ends."""
    tokens: list[Token] = []
    while token := _token(value, position):
        if len(tokens) == MAX_TOKENS:
            return [Token("junk", position, len(value), b"")], len(value)
        tokens.append(token)
        position = token.end
        if token.text in ENDS:
            break
    return tokens, position


def _token(value: bytes, position: int) -> Token | None:
    found = _TOKEN.match(value, position)
    if not found:
        return None
    kind, end = found.lastgroup, found.end()
    if kind == "comment":
        end = _comment_end(value, position)
        if not end:
            kind, end = "junk", len(value)
    return Token(kind, position, end, value[position:end])


def _comment_end(value: bytes, start: int) -> int:
    depth = 0
    for found in _IN_COMMENT.finditer(value, start):
        if found[0] == b"(":
            depth += 1
        elif found[0] == b")":
            depth -= 1
            if not depth:
                return found.end()
    return 0


def _words(tokens: list[Token]) -> list[Token]:
    """Returns the tokens without white space and comments."""
    return [token for token in tokens if token.kind not in ("space", "comment")]


def _interpreted(tokens: list[Token]) -> Mailbox | None:
    """Returns the mailbox of one element; None for an empty one or a group's name."""
    end = tokens[-1].text if tokens[-1].text in ENDS else b""
    inside = tokens[:-1] if end else tokens
    inner = _words(inside)
    is_group = end == b":" and all(word.kind in ("atom", "quoted") for word in inner)
    if not inner or is_group:
        return None
    mailbox = _mailbox(tokens[0].start, *_parts(inside))
    return mailbox._replace(is_plain=mailbox.is_plain and end != b":")


def _parts(tokens: list[Token]) -> tuple[list[Token], list[Token], list[Token]]:
    """Returns the tokens before, inside and after the last pair of angle brackets."""
    brackets = [at for at, token in enumerate(tokens) if token.text in (b"<", b">")]
    if not brackets:
        return [], tokens, []
    opening, closing = brackets[-2:] if len(brackets) > 1 else (0, 0)
    if tokens[opening].text != b"<" or tokens[closing].text != b">":
        return tokens, [], []
    return tokens[:opening], tokens[opening + 1 : closing], tokens[closing + 1 :]


def _mailbox(
    start: int, phrase: list[Token], specification: list[Token], rest: list[Token]
) -> Mailbox:
    spelt = _words(specification)
    texts = [word.text for word in spelt]
    at = texts.index(b"@") if b"@" in texts else 0
    local, domain = spelt[:at], spelt[at + 1 :]
    address = None
    if _is_joined(local) and _is_joined(domain):
        address = _address(b"".join(texts))
    return Mailbox(
        start,
        address,
        _name(phrase or specification),
        [(word.start, word.end) for word in local],
        [(word.start, word.end) for word in domain],
        bool(address) and not _words(rest) and _is_plain(_words(phrase), texts),
    )


def _is_plain(phrase: list[Token], address: list[bytes]) -> bool:
    """Returns whether nothing in the name looks like an address but the address itself."""
    if all(word.kind in ("atom", "quoted", "literal") for word in phrase):
        return True
    name = b"".join(word.text for word in phrase)
    return name.lower() == b"".join(address).lower()


def _is_joined(spelt: list[Token]) -> bool:
    """Returns whether white space and comments stand beside dots only (RFC 5322 §4.4)."""
    return all(
        before.end == after.start
        or before.text.endswith(b".")
        or after.text.startswith(b".")
        for before, after in pairwise(spelt)
    )


def _name(tokens: list[Token]) -> bytes:
    """Returns the phrase without quotes; for a bare address, the comment beside it."""
    if any(token.text == b"@" for token in tokens):
        comments = [token.text for token in tokens if token.kind == "comment"]
        return _QUOTED_PAIR.sub(rb"\1", comments[-1][1:-1]) if comments else b""
    texts = [
        _QUOTED_PAIR.sub(rb"\1", token.text[1:-1])
        if token.kind == "quoted"
        else token.text
        for token in tokens
        if token.kind != "comment"
    ]
    return b" ".join(b"".join(texts).split())


def _address(text: bytes) -> Address | None:
    try:
        # A quoted local part may be folded.
        return Address.parse(text.replace(b"\r\n", b"").decode())
    except (InvalidAddressError, UnicodeDecodeError):
        return None
