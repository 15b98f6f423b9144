"""The other messages of the conversation that an open message belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from engine.database.prepared_queries import PreparedQuery
from engine.storage import content_keys, message_actions
from engine.storage.models import FirstUse, Folder, FolderRole, Message
from portal.webmail.mailbox.id_unions import ids_of
from portal.webmail.rendering import parsed_message

# Messages named beside the open one, those shown with their text, and the octets of each
# of those and of all together.
MESSAGES_LISTED = 50
MESSAGES_OPENED = 10
# Messages of a conversation on paper, besides the one that it was printed from.
MESSAGES_PRINTED = 30
MESSAGE_OCTETS = 256 * 1024
TOTAL_OCTETS = 512 * 1024
# Statements are kept for numbers of folders that are multiples of this.
FOLDERS_STEP = 8
# Characters of text shown of each message.
TEXT_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class EarlierMessage:
    """An earlier message, folded; `text` is empty if the message is too large."""

    message: Message
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages before and after the open one, newest first."""

    earlier: list[EarlierMessage]
    later: list[Message]

    @property
    def count(self) -> int:
        """The number of messages, the open one included."""
        return len(self.earlier) + len(self.later) + 1


def load_to_print(message: Message, folders: Iterable[Folder]) -> list[Message]:
    """Returns the messages nearest to a message in its conversation, without it."""
    rows = _others(message, folders).select_related("content", "mailbox")
    half = MESSAGES_PRINTED // 2
    later = list(rows.filter(pk__gt=message.pk).order_by("pk")[:half])
    earlier = list(rows.filter(pk__lt=message.pk)[: MESSAGES_PRINTED - len(later)])
    content_keys.load([*earlier, *later])
    return [*earlier, *later]


def load_conversation(message: Message, folders: Iterable[Folder]) -> Conversation:
    """Loads the conversation of a message from the folders of its mailbox.

    Leaves out Drafts, and Deleted and Junk unless the message itself is in there.
    """
    found = _nearest(message, folders)
    earlier = [one for one in found if one.pk < message.pk]
    return Conversation(
        [
            EarlierMessage(m, text)
            for m, text in zip(earlier, _texts(earlier), strict=True)
        ],
        [one for one in found if one.pk > message.pk],
    )


def _nearest(message: Message, folders: Iterable[Folder]) -> list[Message]:
    """Returns the newest messages before and after a message, in one statement."""
    shown = _shown_beside(message, folders)
    if not shown:
        return []
    # One more time the last, so that few statements serve any number of folders.
    filled = shown + shown[-1:] * (-len(shown) % FOLDERS_STEP)
    return _NEAREST(message.pk, message.thread, *filled)


def _sides(message_id: int, thread: int, *folders: int) -> QuerySet[Message]:
    rows = _in_folders(message_id, thread, folders)
    sides = (rows.filter(pk__lt=message_id), rows.filter(pk__gt=message_id))
    return rows.filter(pk__in=ids_of(*(one[:MESSAGES_LISTED] for one in sides)))


_NEAREST = PreparedQuery(_sides)


def _others(message: Message, folders: Iterable[Folder]) -> QuerySet[Message]:
    shown = _shown_beside(message, folders)
    return _in_folders(message.pk, message.thread, shown)


def _shown_beside(message: Message, folders: Iterable[Folder]) -> list[int]:
    left_out = {FolderRole.DRAFTS, FolderRole.TRASH, FolderRole.JUNK}
    left_out -= {FolderRole(message.folder.role)}
    return [folder.pk for folder in folders if folder.role not in left_out]


def _in_folders(
    message_id: int, thread: int, folders: Iterable[int]
) -> QuerySet[Message]:
    others = Message.objects.filter(folder__in=folders, thread=thread)
    return others.exclude(pk=message_id).select_related("folder").order_by("-pk")


def _texts(messages: list[Message]) -> list[str]:
    small, room = [], TOTAL_OCTETS
    for message in messages[:MESSAGES_OPENED]:
        if message.size <= min(MESSAGE_OCTETS, room):
            small.append(message.pk)
            room -= message.size
    if not small:
        return ["" for _ in messages]
    rows = Message.objects.filter(pk__in=small).select_related("content", "mailbox")
    loaded = message_actions.note_use(list(rows), FirstUse.OPENED)
    content_keys.load(loaded)
    texts = {message.pk: _text(message) for message in loaded}
    return [texts.get(message.pk, "") for message in messages]


def _text(message: Message) -> str:
    return parsed_message.parse_stored(message).whole_text()[:TEXT_LIMIT]
