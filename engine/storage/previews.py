"""The beginnings of messages' texts, as lists show them; made once, kept with the message.

A preview is part of the content: it is encrypted under the content's key where the
content is. To be shown in a list is not a use of a message (`FirstUse`), as its subject is
not: what was only listed can still be recalled.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from engine.encryption import stream
from engine.encryption.errors import MasterKeyUnavailableError, UnreadableError
from engine.mail import lookalike
from engine.mail.reading import as_text, reader
from engine.storage import content, content_keys
from engine.storage.content_keys import Held
from engine.storage.models import Content, Message

log = logging.getLogger(__name__)

# Characters of a preview.
LENGTH = 160
# Octets of a message whose preview is made while somebody waits, and of all together. The
# job that indexes messages makes the others, once each.
WHILE_WAITING = 64 * 1024
ALL_WHILE_WAITING = 512 * 1024

PURPOSE = b"preview"
# The first octet of a stored preview says how the others are encoded.
PLAIN, ENCRYPTED = b"\x01", b"\x02"

# Characters of text that are looked at, and what a reply begins with that it quotes.
_LOOKED_AT = 4_000
_QUOTED = re.compile(
    r"^(?:>.*|-{2,} ?(?:Original|Forwarded) Message.*|On .{6,200} wrote:)$",
    re.MULTILINE,
)


def of_messages(
    messages: Collection[Message], *, holder: int, makes: bool = True
) -> dict[int, str]:
    """Returns the previews of messages of one organisation by their ids.

    Makes and keeps those that are missing, of messages that are not too large; none where
    `makes` is False. One statement where any is encrypted, and three where any is missing.
    """
    missing = _that_fit(one for one in messages if one.preview is None) if makes else []
    if missing:
        _make(missing)
    kept = {one.pk: one for one in messages if one.preview}
    sealed = {
        one.pk: Held(Content(pk=one.content_id, format=Content.ENCRYPTED), holder)
        for one in kept.values()
        if bytes(one.preview or b"")[:1] == ENCRYPTED
    }
    content_keys.load(sealed.values())
    return {pk: _text(one, sealed.get(pk)) for pk, one in kept.items()}


def keep(messages: Iterable[Message]) -> None:
    """Makes and keeps the previews of messages with their contents loaded.

    Keeps none of a content that was encrypted since it was loaded: the preview of what was
    plain is plain too.
    """
    made = list(messages)
    for message in made:
        message.preview = _made(message)
    with transaction.atomic(savepoint=False):
        formats = _lock_formats(made)
        same = [one for one in made if formats.get(one.pk) == one.content.format]
        Message.objects.filter(preview=None).bulk_update(same, ["preview"])


def _lock_formats(messages: Collection[Message]) -> dict[int, int]:
    """Locks messages and contents; returns the formats of contents by messages' ids.

    Waits for nobody: what another transaction has locked is left out, for another time.
    """
    rows = Message.objects.select_for_update(
        skip_locked=True, no_key=True, of=("self", "content")
    ).filter(pk__in=[message.pk for message in messages])
    found = rows.select_related("content").only("content__format").order_by("pk")
    return {message.pk: message.content.format for message in found}


def _that_fit(messages: Iterable[Message]) -> list[Message]:
    found, room = [], ALL_WHILE_WAITING
    for message in messages:
        if message.size <= min(WHILE_WAITING, room):
            room -= message.size
            found.append(message)
    return found


def _make(messages: list[Message]) -> None:
    rows: QuerySet[Message] = Message.objects.filter(
        pk__in=[message.pk for message in messages]
    )
    loaded = list(rows.select_related("content", "mailbox"))
    content_keys.load(loaded)
    keep(loaded)
    made = {one.pk: one.preview for one in loaded}
    for message in messages:
        message.preview = made.get(message.pk)


def _made(message: Message) -> bytes | None:
    """Returns the preview of a message as it is stored; an empty one if it has no text."""
    try:
        key = content_keys.key_of(message)
        header, body = content.header(message), content.body_source(message)
        text = beginning(as_text.as_text(reader.read_words(header, body)))
    except (FileNotFoundError, UnreadableError):
        return b""
    except (DatabaseError, OSError, MasterKeyUnavailableError):
        return None  # not the message's fault: it is made another time
    except Exception:
        log.exception("message %s has no preview", message.pk)
        return b""
    if not text:
        return b""
    plain = text.encode("utf-8", "replace")
    return (
        ENCRYPTED + stream.encrypt(key, plain, purpose=PURPOSE)
        if key
        else (PLAIN + plain)
    )


def beginning(text: str) -> str:
    """Returns the first words of a text on one line, without what it quotes."""
    text = text[:_LOOKED_AT]
    words = _QUOTED.sub("", text).split() or text.split()
    return lookalike.displayable(" ".join(words)[: 2 * LENGTH])[:LENGTH].strip()


def _text(message: Message, held: Held | None) -> str:
    stored = bytes(message.preview or b"")[1:]
    if held is None:
        return stored.decode("utf-8", "replace")
    try:
        key = content_keys.key_of(held)
        return stream.decrypt(key, stored, purpose=PURPOSE).decode("utf-8", "replace")
    except (MasterKeyUnavailableError, UnreadableError):
        return ""
