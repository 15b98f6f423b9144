"""What a system does to stored messages: as their owner does, and on record."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from engine.audit.record import record
from engine.registry.models import ApiKey
from engine.storage import message_actions
from engine.storage.models import Folder, FolderRole, Message


@transaction.atomic
def change(
    message: Message,
    *,
    is_read: bool | None = None,
    is_flagged: bool | None = None,
    target: Folder | None = None,
    by: ApiKey,
) -> None:
    """Mark a message or move it; what is None stays as it is."""
    if is_read is not None:
        message_actions.mark_read([message], is_read=is_read)
    if is_flagged is not None:
        message_actions.flag([message], is_flagged=is_flagged)
    if target is not None:
        message_actions.move([message], target)
    said = {
        "is_read": is_read,
        "is_flagged": is_flagged,
        "folder": target.name if target else None,
    }
    changed = {name: value for name, value in said.items() if value is not None}
    if changed:
        _record("message.changed", message, changed, by=by)


@transaction.atomic
def delete(message: Message, *, by: ApiKey) -> None:
    """Move a message to Deleted; from there it goes for good."""
    is_final = message.folder.role == FolderRole.TRASH
    _record("message.deleted", message, {"for_good": is_final}, by=by)
    message_actions.delete([message])


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
