"""Undoes the last move of messages, for as long as the session remembers it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from engine.registry.models import Mailbox
from engine.storage import message_actions
from engine.storage.models import Folder, Message

KEY = "webmail_undo"
# Messages that a session remembers: it is stored and loaded with every request.
LIMIT = 500


@dataclass(frozen=True, slots=True)
class UndoOffer:
    """How many messages an undo would put back."""

    count: int


def remember(
    request: HttpRequest,
    messages: Sequence[Message],
    *,
    targets: Sequence[Folder],
    place: str,
) -> None:
    """Remembers a move just made. `messages` still name the folders they came from.

    `place` is the path, without a query, of the page that offers the undo. Moves of
    more than LIMIT messages are not remembered.
    """
    request.session.pop(KEY, None)
    if len(messages) > LIMIT:
        return
    by_folder: defaultdict[str, list[int]] = defaultdict(list)
    for message in messages:
        by_folder[str(message.folder_id)].append(message.pk)
    kept = {
        "lay_in": dict(by_folder),
        "targets": [target.pk for target in targets],
        "place": place,
        "is_new": True,
    }
    request.session[KEY] = kept


def offer(request: HttpRequest) -> UndoOffer | None:
    """Returns the undo that this page offers: once, right after the move."""
    kept = request.session.get(KEY)
    if not kept or not kept["is_new"] or kept.get("place") != request.path:
        return None
    request.session[KEY] = {**kept, "is_new": False}
    return UndoOffer(sum(map(len, kept["lay_in"].values())))


def restore(request: HttpRequest, mailbox: Mailbox, *, place: str) -> int:
    """Moves the messages back if they are still where they were put; returns how many."""
    kept = request.session.pop(KEY, None)
    if not kept or kept.get("place") != place:
        return 0
    count = 0
    for source in Folder.objects.filter(pk__in=kept["lay_in"], mailbox=mailbox):
        messages = list(
            Message.objects.filter(
                pk__in=kept["lay_in"][str(source.pk)],
                # Sessions of the version before remember one.
                folder__in=kept.get("targets") or [kept["target"]],
                mailbox=mailbox,
            )
        )
        message_actions.move(messages, source)
        count += len(messages)
    return count
