"""Finds the mailboxes in an address list (RFC 5322 §3.4 and §4.4), in linear time.

What cannot be understood is passed over, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from engine.mail.address import Address, InvalidAddressError

# An element with more is not understood, nor is what follows it.
MAX_TOKENS = 1000
# Elements of a list; one that is not ASCII, so that IDNA may be needed, counts for
# several.
MAX_WORK = 5000
NON_ASCII_WORK = 10

Span = tuple[int, int]

_SEPARATORS = re.compile(rb"[ \t\r\n,;]*+")
_ATEXT = rb"0-9A-Za-z!#$%&'*+/=?^_`{|}~.\x80-\xff-"
_DTEXT = rb"0-9A-Za-z.\x80-\xff-"

# What nearly every mailbox looks like; the rest goes the long way round.
_SIMPLE = re.compile(
    rb'(?:("[^"\\]*+"|[%b \t\r\n]*+)[ \t\r\n]*+<([%b]++)@([%b]++)>|([%b]++)@([%b]++))'
    rb"[ \t\r\n]*+(?:,|\Z)" % (_ATEXT, _ATEXT, _DTEXT, _ATEXT, _DTEXT)
)

# An unterminated quoted string takes all the rest, else each quote in it would
# be tried anew. A comment is found by counting, since it nests.
_TOKEN = re.compile(
    rb"(?P<space>[ \t\r\n]++)"
    rb"|(?P<atom>[%b]++)"
    rb"|(?P<mark>[<>,;:@])"
    rb'|(?P<quoted>"(?:[^"\\]++|\\.)*+")'
    rb"|(?P<literal>\[[^][\\\r\n]{0,100}+\])"
    rb"|(?P<comment>\()"
    rb'|(?P<junk>".*+|.)' % _ATEXT,
    re.DOTALL,
)
_IN_COMMENT = re.compile(rb"[()]|\\.", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


_ENDS = (b",", b";", b":")


class Mailbox(NamedTuple):
    """One element of a list, and where the words of its address stand.

    `address` is None when there is none to be understood. `is_plain` is False when
    other software may see another address here.
    """

    address: Address | None
    name: bytes
    local: list[Span]
    domain: list[Span]
    is_plain: bool


class _Token(NamedTuple):
    kind: str | None
    start: int
    end: int
    text: bytes


def mailboxes(value: bytes) -> Iterator[Mailbox]:
    """Every mailbox in order, those of groups too.

    Of a list that is too long, the last one stands for the rest: not understood.
    """
    position = _after_separators(value, 0)
    left = MAX_WORK
    while position < len(value):
        if left <= 0:
            yield Mailbox(None, b"", [], [], False)
            return
        start = position
        found = _SIMPLE.match(value, position)
        mailbox = _simple(found) if found else None
        if found and mailbox:
            yield mailbox
            position = found.end()
        else:
            tokens, position = _element(value, position)
            yield from _interpreted(tokens)
        left -= 1 if value[start:position].isascii() else NON_ASCII_WORK
        position = _after_separators(value, position)


def _after_separators(value: bytes, position: int) -> int:
    found = _SEPARATORS.match(value, position)
    return found.end() if found else position


def _simple(found: re.Match[bytes]) -> Mailbox | None:
    local = 2 if found[2] else 4
    address = _address(b"%b@%b" % (found[local], found[local + 1]))
    if not address:
        return None
    name = found[1] or b""
    if name.startswith(b'"'):
        name = name[1:-1]
    spans = [found.span(local)], [found.span(local + 1)]
    return Mailbox(address, b" ".join(name.split()), *spans, True)


def _element(value: bytes, position: int) -> tuple[list[_Token], int]:
    """The tokens up to and with the next separator, and where that ends."""
    tokens: list[_Token] = []
    while token := _token(value, position):
        if len(tokens) == MAX_TOKENS:
            return [_Token("junk", position, len(value), b"")], len(value)
        tokens.append(token)
        position = token.end
        if token.text in _ENDS:
            break
    return tokens, position


def _token(value: bytes, position: int) -> _Token | None:
    found = _TOKEN.match(value, position)
    if not found:
        return None
    kind, end = found.lastgroup, found.end()
    if kind == "comment":
        end = _comment_end(value, position)
        if not end:
            kind, end = "junk", len(value)
    return _Token(kind, position, end, value[position:end])


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


def _interpreted(tokens: list[_Token]) -> Iterator[Mailbox]:
    """The mailbox that one element holds; none for an empty one or a group's name."""
    end = tokens[-1].text if tokens[-1].text in _ENDS else b""
    inside = tokens[:-1] if end else tokens
    words = _words(inside)
    is_group = end == b":" and all(word.kind in ("atom", "quoted") for word in words)
    if words and not is_group:
        mailbox = _mailbox(*_parts(inside))
        yield mailbox._replace(is_plain=mailbox.is_plain and end != b":")


def _parts(tokens: list[_Token]) -> tuple[list[_Token], list[_Token], list[_Token]]:
    """What stands before, inside and after the last pair of angle brackets."""
    brackets = [at for at, token in enumerate(tokens) if token.text in (b"<", b">")]
    if not brackets:
        return [], tokens, []
    if (
        len(brackets) < 2
        or tokens[brackets[-2]].text + tokens[brackets[-1]].text != b"<>"
    ):
        return tokens, [], []
    opening, closing = brackets[-2:]
    return tokens[:opening], tokens[opening + 1 : closing], tokens[closing + 1 :]


def _mailbox(
    phrase: list[_Token], specification: list[_Token], rest: list[_Token]
) -> Mailbox:
    words = _words(specification)
    texts = [word.text for word in words]
    at = texts.index(b"@") if b"@" in texts else 0
    local, domain = words[:at], words[at + 1 :]
    address = None
    if _is_joined(local) and _is_joined(domain):
        address = _address(b"".join(texts))
    return Mailbox(
        address,
        _name(phrase or specification),
        [(word.start, word.end) for word in local],
        [(word.start, word.end) for word in domain],
        bool(address) and not _words(rest) and _is_plain(_words(phrase), texts),
    )


def _is_plain(phrase: list[_Token], address: list[bytes]) -> bool:
    """Nothing in the name looks like another address, except the address itself."""
    if all(word.kind in ("atom", "quoted", "literal") for word in phrase):
        return True
    name = b"".join(word.text for word in phrase)
    return name.lower() == b"".join(address).lower()


def _is_joined(words: list[_Token]) -> bool:
    """White space and comments stand beside dots only (RFC 5322 §4.4)."""
    return all(
        before.end == after.start
        or before.text.endswith(b".")
        or after.text.startswith(b".")
        for before, after in pairwise(words)
    )


def _words(tokens: list[_Token]) -> list[_Token]:
    return [token for token in tokens if token.kind not in ("space", "comment")]


def _name(tokens: list[_Token]) -> bytes:
    """The phrase without its quotes, or for a bare address the comment beside it."""
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
        return Address.parse(text.decode())
    except (InvalidAddressError, UnicodeDecodeError):
        return None
