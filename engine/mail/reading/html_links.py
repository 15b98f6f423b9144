"""Writes the targets of links in plain text, where the words of a link do not say them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TARGET = re.compile(r"(?:[a-z][a-z0-9+.-]*:|//|www\.)", re.IGNORECASE)
_USELESS = re.compile(
    r"(?:javascript|vbscript|data|cid|mid|about|blob):", re.IGNORECASE
)
_ESCAPED = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]),
    **{ord(character): f"%{ord(character):X}" for character in " <>"},
}
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_QUERY_OF_MAILTO = re.compile(r"(mailto:[^?]*)\?.*", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Link:
    """A link, with the words that it is shown by."""

    target: str
    words: list[str] = field(default_factory=list)

    @property
    def is_told(self) -> bool:
        """Whether its words are its target, as people write it."""
        return _bare("".join(self.words)) == _bare(self.target)


def link(target: str) -> Link | None:
    """Returns the link with this target; None for one that is of no use in text."""
    target = target.strip(" \t\r\n\f").translate(_ESCAPED)
    if not _TARGET.match(target) or _USELESS.match(target):
        return None
    return Link(target)


def _bare(address: str) -> str:
    text = "".join(address.split())
    text = _QUERY_OF_MAILTO.sub(r"\1", text)
    return _SCHEME.sub("", text, count=1).casefold().rstrip("/")
