"""The rest of the conversation that an open message belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.mime import html_text
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.rendering import parsed_message

# Messages named beside the open one, those that are opened with it, how large, and
# how large together.
NAMED = 50
OPENED = 10
OPENED_OCTETS = 256 * 1024
OPENED_TOGETHER = 512 * 1024
# Characters shown of each.
TEXT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Earlier:
    """A message of the conversation, folded; without text where it is too large."""

    message: Message
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came before the open message, and what came after it; newest first."""

    earlier: list[Earlier]
    later: list[Message]

    @property
    def count(self) -> int:
        return len(self.earlier) + len(self.later) + 1


def around(message: Message) -> Conversation:
    """The others of the message's conversation, in whichever folder they are.

    Drafts are left out, and what was thrown away unless the message itself was.
    """
    folders = Folder.objects.filter(mailbox=message.mailbox_id)
    left_out = {FolderRole.DRAFTS, FolderRole.TRASH, FolderRole.JUNK}
    seen = folders.exclude(role__in=left_out - {message.folder.role})
    others = Message.objects.filter(folder__in=list(seen), thread=message.thread)
    rows = others.exclude(pk=message.pk).select_related("folder").order_by("-pk")
    earlier = list(rows.filter(pk__lt=message.pk)[:NAMED])
    return Conversation(
        [Earlier(m, text) for m, text in zip(earlier, _texts(earlier), strict=True)],
        list(rows.filter(pk__gt=message.pk)[:NAMED]),
    )


def _texts(messages: list[Message]) -> list[str]:
    small, room = [], OPENED_TOGETHER
    for message in messages[:OPENED]:
        if message.size <= min(OPENED_OCTETS, room):
            small.append(message.pk)
            room -= message.size
    loaded = Message.objects.filter(pk__in=small).select_related("content")
    texts = {message.pk: _text(message) for message in loaded}
    return [texts.get(message.pk, "") for message in messages]


def _text(message: Message) -> str:
    opened = parsed_message.read(message)
    text = opened.text.strip() or html_text.words_of(opened.markup)
    return text[:TEXT_LIMIT]
