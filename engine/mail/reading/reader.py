"""Walks a message once and decides what a reader sees of it.

It chooses only inside multipart/alternative: what stands beside each other is all shown,
in order (RFC 2046 §5.1.3, RFC 2387, RFC 2183 §2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.mail.header import MAX_HEADER_OCTETS, HeaderBlock
from engine.mail.message import split, with_line_ends
from engine.mail.mime import file_endings, part_walker, wrapped_files
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.part_walker import Entity
from engine.mail.mime.parts import MESSAGES, Part
from engine.mail.reading import content_ids
from engine.mail.reading.items import WORDS, Item, Kind, Reading

# Text that is data for a program: offered as a file, though its type begins with text/.
_TEXT_FILES = frozenset(
    (
        "text/calendar",
        "text/csv",
        "text/directory",
        "text/rtf",
        "text/tab-separated-values",
        "text/vcard",
        "text/x-vcard",
        "text/x-vcalendar",
        "text/xml",
    )
)
_INVITATIONS = frozenset(("text/calendar", "application/ics", "text/x-vcalendar"))
# RFC 3464, RFC 6533 and RFC 8098.
_REPORTS = frozenset(
    (
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
    )
)
# The header of the message that a report is about: RFC 6522 §3, RFC 6533 §6.
HEADERS = frozenset(("text/rfc822-headers", "message/global-headers"))

# Octets of a text that are examined to tell whether it is text at all.
_START = 1024


def read(header: bytes, body: ByteSource) -> Reading:
    """Reads a message; never raises.

    Every leaf of it is in the result once: shown, offered, or in an attached message,
    which is one leaf here and is read on its own (`attached`).
    """
    return reading_of(part_walker.tree(header, body, attached=False))


def reading_of(tree: Entity) -> Reading:
    """Reads a message of which the tree is known, with attached messages in it or not."""
    return _reading(_items(tree))


def read_words(header: bytes, body: ByteSource) -> Reading:
    """Reads a message for its words alone: pictures that HTML embeds are not looked for."""
    tree = part_walker.tree(header, body, attached=False)
    return Reading(tuple(_without_doubled_words(_items(tree))))


def read_all(
    header: bytes, body: ByteSource, *, strict: bool = False
) -> Iterator[tuple[Part | None, Reading]]:
    """Reads a message, and then every message attached to it at any depth, in one walk.

    Each with the part that it is attached as, None for the message itself. With `strict`
    it raises TooManyParts, as the walk does.
    """
    tree = part_walker.tree(header, body, strict=strict)
    yield None, reading_of(tree)
    yield from _all_attached(tree)


def _all_attached(entity: Entity) -> Iterator[tuple[Part, Reading]]:
    if entity.part is not None and entity.part.content_type in HEADERS:
        yield entity.part, Reading(())
    elif entity.part is not None and entity.part.content_type in MESSAGES:
        yield entity.part, _reading(_items_of(entity.children))
    for child in entity.children:
        yield from _all_attached(child)


def attached(header: bytes, body: ByteSource, path: str) -> tuple[Part, Reading] | None:
    """Reads the message that is attached at a path, such as "3" or "3.2".

    The paths of its parts are those of the whole message. Returns None where no message
    is attached there.
    """
    found = _at(part_walker.tree(header, body), path)
    if found is None or found.part is None:
        return None
    if found.part.content_type in HEADERS:
        return found.part, Reading(())
    if found.part.content_type not in MESSAGES or not found.children:
        return None
    return found.part, _reading(_items_of(found.children))


def part_at(header: bytes, body: ByteSource, path: str) -> Part | None:
    """Returns the part at a path, of an attached message too; None without one."""
    found = _at(part_walker.tree(header, body), path)
    return found.part if found else None


def header_of(part: Part) -> HeaderBlock:
    """Returns the header of the message that a part attaches."""
    start = part.start(MAX_HEADER_OCTETS)
    return HeaderBlock.salvage(split(with_line_ends(start))[0])


def name_of(part: Part) -> str:
    """Returns the name under which a part is offered, with the ending of its type."""
    if part.filename:
        return part.filename
    return f"attachment-{part.path}{file_endings.of_type(part.content_type)}"


def _at(entity: Entity, path: str) -> Entity | None:
    if entity.part is not None and entity.part.path == path:
        return entity
    for child in entity.children:
        if found := _at(child, path):
            return found
    return None


def _items(entity: Entity) -> list[Item]:
    if entity.part is not None:
        return _leaf(entity, entity.part)
    if entity.content_type == "multipart/alternative":
        return list(_alternative(entity.children))
    if entity.content_type == "multipart/related":
        return _items_of(_root_first(entity))
    return _items_of(entity.children)


def _items_of(entities: Iterable[Entity]) -> list[Item]:
    return [item for entity in entities for item in _items(entity)]


def _leaf(entity: Entity, part: Part) -> list[Item]:
    kind = kind_of(part)
    holds_files = kind is Kind.TEXT and bool(entity.children)
    item = Item(kind, part, _name(kind, part), holds_files=holds_files)
    return [item] if kind is Kind.MESSAGE else [item, *_items_of(entity.children)]


def kind_of(part: Part) -> Kind:
    """Returns what a part is to a reader."""
    content_type = part.content_type
    if content_type in MESSAGES or content_type in HEADERS:
        return Kind.MESSAGE
    if content_type in _INVITATIONS:
        return Kind.INVITATION
    if content_type in _REPORTS:
        return Kind.REPORT
    # RFC 2183 §2.8: another word than inline means attachment.
    if part.disposition not in ("", "inline"):
        return Kind.FILE
    if content_type == "text/html":
        return Kind.HTML
    if content_type.startswith("text/") and content_type not in _TEXT_FILES:
        return Kind.FILE if part.has_nul(_START) else Kind.TEXT
    return Kind.PICTURE if content_type.startswith("image/") else Kind.FILE


def _name(kind: Kind, part: Part) -> str:
    return part.filename if kind in WORDS else name_of(part)


def _alternative(children: Sequence[Entity]) -> Iterator[Item]:
    """Yields the richest form, with the others in it; files of every form are kept."""
    forms = [list(_items(child)) for child in children]
    best = max(range(len(forms)), key=lambda at: (_richness(forms[at]), at), default=0)
    others = [
        item
        for at in reversed(range(len(forms)))
        if at != best
        for item in _forms_in([one for one in forms[at] if one.is_words])
    ]
    for at, form in enumerate(forms):
        if at == best:
            yield from _with_others(form, others)
        else:
            yield from (item for item in form if not item.is_words)


def _forms_in(words: Sequence[Item]) -> Iterator[Item]:
    """Yields the words of a form and their own alternatives, all at one level."""
    is_partial = len(words) > 1
    for item in words:
        is_inner_partial = is_partial or item.is_partial
        yield item._replace(alternatives=(), is_partial=is_inner_partial)
        for other in item.alternatives:
            yield other._replace(is_partial=is_partial or other.is_partial)


def _with_others(form: Iterable[Item], others: Sequence[Item]) -> Iterator[Item]:
    """Yields the items of a form, the first of its words with the other forms in it."""
    is_first = True
    paths = frozenset(other.part.path for other in others)
    for item in form:
        if not (item.is_words and others):
            yield item
        elif is_first:
            yield item._replace(alternatives=(*item.alternatives, *others))
            is_first = False
        else:
            yield item._replace(covered_by=(*item.covered_by, paths))


def _richness(form: Iterable[Item]) -> int:
    """Returns 2 for a form with HTML, 1 for one with text; 0 where nothing is to be seen."""
    kinds = {item.kind for item in form if item.is_words and not _is_blank(item.part)}
    return 2 if Kind.HTML in kinds else int(Kind.TEXT in kinds)


def _is_blank(part: Part) -> bool:
    return part.region.end - part.region.start <= _START and not part.data().strip()


def _root_first(entity: Entity) -> list[Entity]:
    """Returns the root (RFC 2387 §3.2), and then what it may embed."""
    start = entity.parameters.get("start", "").strip(" <>")
    if not start:
        return entity.children  # the first is the root
    is_root = [
        child.part is not None and child.part.content_id == start
        for child in entity.children
    ]
    at = is_root.index(True) if True in is_root else 0
    return [
        *entity.children[at : at + 1],
        *entity.children[:at],
        *entity.children[at + 1 :],
    ]


def _reading(found: list[Item]) -> Reading:
    return Reading(tuple(_with_pictures(_without_doubled_words(found))))


def _without_doubled_words(items: list[Item]) -> list[Item]:
    """Offers the words in a winmail.dat as files where the message has words besides.

    Outlook writes the same words outside, as plain text.
    """
    winmail = tuple(
        f"{item.part.path}."
        for item in items
        if item.kind is Kind.FILE and wrapped_files.is_winmail(item.part)
    )
    if not winmail:
        return items
    inside = [item.part.path.startswith(winmail) for item in items]
    has_words = any(
        item.is_words and not is_inside and not _is_blank(item.part)
        for item, is_inside in zip(items, inside, strict=True)
    )
    return [
        Item(Kind.FILE, item.part, name_of(item.part))
        if has_words and is_inside and item.is_words
        else item
        for item, is_inside in zip(items, inside, strict=True)
    ]


def _with_pictures(items: list[Item]) -> list[Item]:
    """Moves the pictures that HTML embeds into the items that embed them."""
    by_id = {
        item.part.content_id: item.part
        for item in reversed(items)
        if item.kind is Kind.PICTURE and item.part.content_id
    }
    if not by_id:
        return items
    items = [_embedding(item, by_id) for item in items]
    embedded = {part.path for part in Reading(tuple(items)).pictures}
    return [item for item in items if item.part.path not in embedded]


def _embedding(item: Item, by_id: dict[str, Part]) -> Item:
    if item.alternatives:
        others = (_embedding(other, by_id) for other in item.alternatives)
        item = item._replace(alternatives=tuple(others))
    if item.kind is not Kind.HTML:
        return item
    ids = content_ids.referred_to(item.part.text())
    pictures = tuple(by_id[one] for one in ids if one in by_id)
    return item._replace(pictures=pictures) if pictures else item
