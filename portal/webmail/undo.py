"""Taking back the last move, for as long as the session remembers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from engine.storage import actions
from engine.storage.models import Folder, Message

KEY = "webmail_undo"
# Messages that a session remembers; more than these are not offered.
LIMIT = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be taken back."""

    count: int


def remember(
    request: HttpRequest, messages: Sequence[Message], *, source: Folder, target: Folder
) -> None:
    """Note that these were moved just now."""
    request.session.pop(KEY, None)
    if len(messages) <= LIMIT:
        request.session[KEY] = {
            "ids": [message.pk for message in messages],
            "source": source.pk,
            "target": target.pk,
            "is_new": True,
        }


def offer(request: HttpRequest, shown: Folder) -> Offer | None:
    """What the page of that folder offers to take back: once, right after it was done."""
    kept = request.session.get(KEY)
    if not kept or not kept["is_new"] or kept["source"] != shown.pk:
        return None
    request.session[KEY] = {**kept, "is_new": False}
    return Offer(len(kept["ids"]))


def take_back(request: HttpRequest, source: Folder) -> int:
    """Move them back where they still lie as they were put; return how many."""
    kept = request.session.pop(KEY, None)
    if not kept or kept["source"] != source.pk:
        return 0
    messages = list(
        Message.objects.filter(
            pk__in=kept["ids"], folder=kept["target"], mailbox=source.mailbox_id
        )
    )
    actions.move(messages, source)
    return len(messages)
