"""Keeps the copy of a message that leaves later from being deleted before it has left.

Without its copy, the author could neither see nor take back what waits.
"""

from __future__ import annotations

from collections.abc import Collection

from engine.registry.errors import PolicyError
from engine.storage.models import Folder, Message
from portal.webmail.models import ScheduledSend
from portal.webmail.models.scheduled_send import ScheduledSendQuerySet


def check_have_left(messages: Collection[Message]) -> None:
    """Raises PolicyError if one of the messages waits for the time to leave."""
    ids = [message.pk for message in messages]
    _check(ScheduledSend.objects.later().filter(message__in=ids))


def check_all_have_left(folder: Folder) -> None:
    """Raises PolicyError if a message in the folder waits for the time to leave."""
    _check(ScheduledSend.objects.later().filter(message__folder=folder))


def _check(waiting: ScheduledSendQuerySet) -> None:
    one = waiting.select_related("message").first()
    if one is not None:
        subject = one.message.subject or "(no subject)"
        raise PolicyError(
            f"Nothing was deleted: “{subject[:60]}” has not been sent yet. Its author has "
            "to take it back under Scheduled first."
        )
