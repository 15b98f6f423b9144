"""Reads, changes and deletes stored messages for a key, and records each in the audit trail."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404

from api.auth.caller import Caller
from engine.audit.record import lock_chain, record
from engine.mail.address_list import addresses_in
from engine.mail.header import HeaderBlock
from engine.mail.mime.byte_source import ByteSource
from engine.mail.mime.parts import Part
from engine.mail.reading import reader
from engine.mail.reading.as_text import as_text, plain_text, text_in
from engine.mail.reading.items import Item, Kind, Reading
from engine.registry import mailbox_openings
from engine.registry.mailbox_openings import OpeningMethod
from engine.registry.models import ApiKey, Mailbox
from engine.storage import content, message_actions
from engine.storage.models import FirstUse, Folder, FolderRole, Message

# What a response shows of one message: characters of text and of HTML, recipients of a
# field.
MAX_TEXT_LENGTH = 1_000_000
MAX_RECIPIENTS = 500


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part of a message under the path by which it is downloaded.

    `kind` is one of `engine.mail.reading.items.Kind`; a picture that the HTML embeds has
    its Content-ID, and another form of a text the path of the form that is shown.
    """

    path: str
    kind: str
    content_type: str
    filename: str
    content_id: str = ""
    alternative_to: str = ""


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """The recipients, words and parts of a message.

    `text` is one page of the text; `next_text` is the position of the next page, in
    characters, or None. `html` is empty where the message has none, or where it is longer
    than MAX_TEXT_LENGTH (`is_html_left_out`).
    """

    to: list[str]
    cc: list[str]
    text: str
    next_text: int | None
    html: str
    is_html_left_out: bool
    parts: list[ShownPart]
    attachments: list[ShownPart]


def open_mailbox(caller: Caller, mailbox_id: int) -> Mailbox:
    """Returns a mailbox whose messages the key may read, and records that it opened it.

    Raises Http404.
    """
    mailbox: Mailbox = get_object_or_404(caller.mailboxes(), pk=mailbox_id)
    note_opening(mailbox, by=caller.key)
    return mailbox


def note_opening(mailbox: Mailbox, *, by: ApiKey) -> None:
    """Records that a key opened a mailbox."""
    mailbox_openings.note(mailbox, by=by, method=OpeningMethod.API)


def read_raw(message: Message, *, by: ApiKey) -> bytes:
    """Returns the message as it was received, and records that the key read it."""
    _note_reading(message, by=by)
    return content.read(message)


def read_parsed(message: Message, start: int = 0, *, by: ApiKey) -> ParsedMessage:
    """Returns the words and parts of a message, its text from a position on.

    Its HTML is as the sender wrote it: not sanitised.
    """
    _note_reading(message, by=by)
    return parsed(content.header(message), content.body_source(message), start)


def parsed(header: bytes, body: ByteSource, start: int) -> ParsedMessage:
    """Returns the words and parts of a message's content."""
    block = HeaderBlock.salvage(header)
    reading = reader.read(header, body)
    text, end = as_text(reading), start + MAX_TEXT_LENGTH
    markup = _html(reading)
    is_long = len(markup) > MAX_TEXT_LENGTH
    return ParsedMessage(
        to=list(_addresses(block, "To")),
        cc=list(_addresses(block, "Cc")),
        text=text[start:end],
        next_text=end if end < len(text) else None,
        html="" if is_long else markup,
        is_html_left_out=is_long,
        parts=[part for item in reading.items for part in _with_forms(item)],
        attachments=[
            *map(_shown, reading.offered),
            *map(_picture, reading.pictures),
        ],
    )


def read_part(message: Message, path: str, *, by: ApiKey) -> tuple[str, Part]:
    """Returns the name and the part at a path, such as "2". Raises Http404."""
    _note_reading(message, by=by)
    header, body = content.header(message), content.body_source(message)
    part = reader.part_at(header, body, path)
    if part is None:
        raise Http404
    return reader.name_of(part), part


@transaction.atomic
def change(
    message: Message,
    *,
    is_read: bool | None = None,
    is_flagged: bool | None = None,
    target: Folder | None = None,
    by: ApiKey,
) -> None:
    """Marks a message or moves it to another folder; None leaves a property as it is."""
    lock_chain()  # before every other lock, as actions of the registry do
    if is_read is not None:
        message_actions.mark_read([message], is_read=is_read)
    if is_flagged is not None:
        message_actions.flag([message], is_flagged=is_flagged)
    if target is not None:
        message_actions.move([message], target)
    values = {
        "is_read": is_read,
        "is_flagged": is_flagged,
        "folder": target.name if target else None,
    }
    changed = {name: value for name, value in values.items() if value is not None}
    if changed:
        _record("message.changed", message, changed, by=by)


def record_change(
    message: Message, detail: Mapping[str, object], *, by: ApiKey
) -> None:
    """Records what else a key changed about a message."""
    _record("message.changed", message, detail, by=by)


@transaction.atomic
def delete(message: Message, *, by: ApiKey) -> None:
    """Moves a message to Deleted; a message in Deleted is erased."""
    is_final = message.folder.role == FolderRole.TRASH
    _record("message.deleted", message, {"for_good": is_final}, by=by)
    message_actions.delete([message])


def _html(reading: Reading) -> str:
    """Returns the HTML of a message with the texts beside it; empty without HTML."""
    if not any(item.kind is Kind.HTML for item in reading.words):
        return ""
    return "\n".join(map(_markup, reading.words))


def _markup(item: Item) -> str:
    if item.kind is Kind.HTML:
        return text_in(item.part)
    text = html.escape(plain_text(item))
    return f'<div style="white-space: pre-wrap">{text}</div>'


def _with_forms(item: Item, of: str = "") -> Iterator[ShownPart]:
    yield replace(_shown(item), alternative_to=of)
    for other in item.alternatives:
        yield from _with_forms(other, item.part.path)


def _shown(item: Item) -> ShownPart:
    return ShownPart(
        item.part.path, item.kind, item.part.content_type, reader.name_of(item.part)
    )


def _picture(part: Part) -> ShownPart:
    name = reader.name_of(part)
    return ShownPart(part.path, Kind.PICTURE, part.content_type, name, part.content_id)


def _addresses(block: HeaderBlock, name: str) -> Iterator[str]:
    named = [one for f in block.all(name) for one in addresses_in(f.value)]
    yield from (str(one.address) for one in named[:MAX_RECIPIENTS])


def _note_reading(message: Message, *, by: ApiKey) -> None:
    """Raises Http404 where the message was withdrawn or erased since it was loaded."""
    if not message_actions.note_use([message], FirstUse.FETCHED):
        raise Http404
    _record("message.read", message, {}, by=by)


def _record(
    event: str, message: Message, detail: Mapping[str, object], *, by: ApiKey
) -> None:
    record(
        event,
        message.mailbox,
        organisation_key=message.mailbox.organisation_id,
        detail={"message": message.pk, **detail},
        by=by,
    )
