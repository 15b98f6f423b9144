"""Lists the messages of a mailbox that search does not find by all of their words."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from engine.registry.models import Mailbox
from engine.storage.models import FolderRole, GapReason, Message, SearchGap

EXPLANATIONS = {
    GapReason.ENCRYPTED: "It is encrypted, or a part of it is. Of what is encrypted, "
    "search finds no word; subjects, people and names of files are searched.",
    GapReason.TOO_LONG: "It is longer than search reads. You find it by its subject, people, "
    "names of files and the words of its beginning.",
    GapReason.TOO_MANY_PARTS: "It has more parts than search reads, or they are nested too "
    "deep. You find it by its subject, people and first parts.",
    GapReason.MISSING: "Its text is missing from the store. You find it by its subject and "
    "people. Ask your administrator to have it restored from a backup.",
    GapReason.FAULT: "It could not be read. The operators of the service find the reason "
    "in their log.",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A message that is not searched whole."""

    message: Message
    reason: GapReason

    @property
    def explanation(self) -> str:
        """Says why, in a sentence, and what finds the message all the same."""
        return EXPLANATIONS[self.reason]


def count(mailbox: Mailbox) -> int:
    """Returns how many messages of a mailbox are not searched whole, drafts left out."""
    return _messages(mailbox).count()


def page(mailbox: Mailbox, *, before: int | None = None, limit: int = 50) -> list[Gap]:
    """Returns such messages, the newest first, with ids below `before`."""
    rows = _messages(mailbox).select_related("folder").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[:limit])
    reasons = SearchGap.objects.in_bulk([message.pk for message in found])
    return [
        Gap(message, GapReason(reasons[message.pk].reason))
        for message in found
        if message.pk in reasons
    ]


def _messages(mailbox: Mailbox) -> QuerySet[Message]:
    # By the messages themselves, so that one that was erased does not count.
    ids = SearchGap.objects.filter(mailbox_id=mailbox.pk).values("message_id")
    rows = Message.objects.filter(pk__in=ids, mailbox=mailbox)
    return rows.exclude(folder__role=FolderRole.DRAFTS)
