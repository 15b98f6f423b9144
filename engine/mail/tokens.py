"""The tokens of an address list (RFC 5322 §3.2), found in linear time."""

from __future__ import annotations

import re
from typing import NamedTuple

# An element with more is not understood, nor is what follows it.
MAX_TOKENS = 1000
ATEXT = rb"0-9A-Za-z!#$%&'*+/=?^_`{|}~.\x80-\xff-"
ENDS = (b",", b";", b":")

# An unterminated quoted string takes all the rest, else each quote in it would
# be tried again. A comment is found by counting, since it nests.
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


class Token(NamedTuple):
    kind: str | None
    start: int
    end: int
    text: bytes


def element(value: bytes, position: int) -> tuple[list[Token], int]:
    """The tokens up to and with the next separator, and where that ends."""
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


def words(tokens: list[Token]) -> list[Token]:
    """Without white space and comments."""
    return [token for token in tokens if token.kind not in ("space", "comment")]
