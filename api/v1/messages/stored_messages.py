"""A stored message taken apart, for systems that read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.http import Http404

from engine.audit.record import record
from engine.mail.address_list import addresses_in
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.parts import Part, walk
from engine.registry.models import ApiKey
from engine.storage import content
from engine.storage.models import Message

# What is shown of one message, in characters and in recipients.
LONGEST_TEXT = 1_000_000
MOST_NAMED = 500


@dataclass(slots=True)
class Opened:
    """The words of a message and the parts that are files."""

    to: list[str]
    cc: list[str]
    text: str = ""
    html: str = ""
    attachments: list[Part] = field(default_factory=list)


def raw(message: Message, *, by: ApiKey) -> bytes:
    """The message as it came. That a key read it is on record."""
    record(
        "message.read",
        message.mailbox,
        organisation_key=message.mailbox.organisation_id,
        detail={"message": message.pk},
        by=by,
    )
    return content.read(message.content)


def opened(message: Message, *, by: ApiKey) -> Opened:
    """The message taken apart; nothing in it is made safe for showing."""
    header, body = split(raw(message, by=by))
    block = HeaderBlock.salvage(header)
    found = Opened(list(_named(block, "To")), list(_named(block, "Cc")))
    for part in walk(header, body):
        if not part.is_nested:
            _place(found, part)
    return found


def attachment(message: Message, path: str, *, by: ApiKey) -> Part:
    """The file at that path. Raises Http404 where there is none."""
    for part in opened(message, by=by).attachments:
        if part.path == path:
            return part
    raise Http404


def _place(found: Opened, part: Part) -> None:
    if part.is_attachment:
        found.attachments.append(part)
    elif part.content_type == "text/plain" and not found.text:
        found.text = part.text()[:LONGEST_TEXT]
    elif part.content_type == "text/html" and not found.html:
        found.html = part.text()[:LONGEST_TEXT]


def _named(block: HeaderBlock, name: str) -> Iterator[str]:
    everybody = [one for f in block.all(name) for one in addresses_in(f.value)]
    yield from (str(one.address) for one in everybody[:MOST_NAMED])
