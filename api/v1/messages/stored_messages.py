"""Reads, changes and deletes stored messages for a key, and records each in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.http import Http404

from engine.audit.record import record
from engine.mail.address_list import addresses_in
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from engine.mail.mime.parts import Part
from engine.registry.models import ApiKey
from engine.storage import content, message_actions
from engine.storage.models import Folder, FolderRole, Message

# What a response shows of one message: characters of text, recipients of a field.
MAX_TEXT_LENGTH = 1_000_000
MAX_RECIPIENTS = 500


@dataclass(slots=True)
class ParsedMessage:
    """The recipients, text and attachments of a message."""

    to: list[str]
    cc: list[str]
    text: str = ""
    html: str = ""
    attachments: list[Part] = field(default_factory=list)


def read_raw(message: Message, *, by: ApiKey) -> bytes:
    """Returns the message as it was received, and records that the key read it."""
    _record("message.read", message, {}, by=by)
    return content.read(message)


def read_parsed(message: Message, *, by: ApiKey) -> ParsedMessage:
    """Returns the parts of a message. Its HTML is as the sender wrote it: not sanitised."""
    header, body = split(read_raw(message, by=by))
    block = HeaderBlock.salvage(header)
    parsed = ParsedMessage(list(_addresses(block, "To")), list(_addresses(block, "Cc")))
    for part in walk(header, body):
        if not part.is_nested:
            _add_part(parsed, part)
    return parsed


def read_attachment(message: Message, path: str, *, by: ApiKey) -> Part:
    """Returns the attachment at a path, such as "2". Raises Http404."""
    for part in read_parsed(message, by=by).attachments:
        if part.path == path:
            return part
    raise Http404


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


@transaction.atomic
def delete(message: Message, *, by: ApiKey) -> None:
    """Moves a message to Deleted; a message in Deleted is erased."""
    is_final = message.folder.role == FolderRole.TRASH
    _record("message.deleted", message, {"for_good": is_final}, by=by)
    message_actions.delete([message])


def _add_part(parsed: ParsedMessage, part: Part) -> None:
    if part.is_attachment:
        parsed.attachments.append(part)
    elif part.content_type == "text/plain" and not parsed.text:
        parsed.text = part.text()[:MAX_TEXT_LENGTH]
    elif part.content_type == "text/html" and not parsed.html:
        parsed.html = part.text()[:MAX_TEXT_LENGTH]


def _addresses(block: HeaderBlock, name: str) -> Iterator[str]:
    named = [one for f in block.all(name) for one in addresses_in(f.value)]
    yield from (str(one.address) for one in named[:MAX_RECIPIENTS])


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
