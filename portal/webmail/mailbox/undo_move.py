"""Taking back the last move, for as long as the session remembers it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from engine.registry.models import Mailbox
from engine.storage import message_actions
from engine.storage.models import Folder, Message

KEY = "webmail_undo"
# Messages that a session remembers; more than these are not offered.
LIMIT = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be taken back."""

    count: int


def remember(
    request: HttpRequest, messages: Sequence[Message], *, target: Folder, place: str
) -> None:
    """Note that these were moved just now, out of the folders that they still name.

    `place` is the address, without a query, of the page that offers to take it back.
    """
    request.session.pop(KEY, None)
    if len(messages) > LIMIT:
        return
    lay_in: defaultdict[str, list[int]] = defaultdict(list)
    for message in messages:
        lay_in[str(message.folder_id)].append(message.pk)
    kept = {"lay_in": dict(lay_in), "target": target.pk, "place": place, "is_new": True}
    request.session[KEY] = kept


def offer(request: HttpRequest) -> Offer | None:
    """What this page offers to take back: once, right after it was done."""
    kept = request.session.get(KEY)
    if not kept or not kept["is_new"] or kept.get("place") != request.path:
        return None
    request.session[KEY] = {**kept, "is_new": False}
    return Offer(sum(map(len, kept["lay_in"].values())))


def take_back(request: HttpRequest, mailbox: Mailbox, *, place: str) -> int:
    """Move them back where they still lie as they were put; return how many."""
    kept = request.session.pop(KEY, None)
    if not kept or kept.get("place") != place:
        return 0
    count = 0
    for source in Folder.objects.filter(pk__in=kept["lay_in"], mailbox=mailbox):
        messages = list(
            Message.objects.filter(
                pk__in=kept["lay_in"][str(source.pk)],
                folder=kept["target"],
                mailbox=mailbox,
            )
        )
        message_actions.move(messages, source)
        count += len(messages)
    return count
