"""Decides whether a message has attachments: whether it offers anything beside its words.

Rules, search and lists of messages go by this. It must agree with `Reading.offered`, and
is decided for every message that is accepted: so as a rule by the types of its parts.
"""

from __future__ import annotations

from engine.mail.mime import part_walker, rtf
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.part_walker import Entity
from engine.mail.reading import reader
from engine.mail.reading.items import WORDS, Kind

_MAYBE_SHOWN = WORDS | {Kind.PICTURE}


def has_attachments(header: bytes, body: ByteSource) -> bool:
    """Returns whether a message has attachments; never raises."""
    # A winmail.dat is offered itself, so that the words in it need not be opened.
    unopened = rtf.Budget(0)
    return offers_files(
        part_walker.tree(header, body, attached=False, rich_text=unopened)
    )


def offers_files(tree: Entity) -> bool:
    """Returns whether a message of which the tree is known has attachments."""
    kinds = set[Kind]()
    for part in tree.parts():
        kind = reader.kind_of(part)
        if kind not in _MAYBE_SHOWN:
            return True
        kinds.add(kind)
    # A picture is none where HTML embeds it, which only the text of the HTML tells.
    return Kind.PICTURE in kinds and bool(reader.reading_of(tree).offered)
