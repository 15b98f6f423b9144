"""Records what is opened under emergency access, before it is shown.

Every function takes the access, or None for a mailbox that is opened in the usual way, of
which it records nothing.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from engine.registry.models import Person
from engine.storage.models import Message, WithdrawnCopy
from portal.emergency_access.models import EmergencyAccess, Reading, ReadingKind
from portal.emergency_access.trail import note

# The frame of a message's page is a request of its own, and is no second opening.
SAME_OPENING = timedelta(minutes=1)


def folder(access: EmergencyAccess | None, name: str, *, by: Person) -> None:
    """Records that a page of a folder was listed."""
    if access is not None:
        _record(access, Reading(kind=ReadingKind.FOLDER, what=name), by=by)


def search(access: EmergencyAccess | None, words: str, *, by: Person) -> None:
    """Records a search and its words."""
    if access is not None and words:
        _record(access, Reading(kind=ReadingKind.SEARCH, what=words), by=by)


def message(
    access: EmergencyAccess | None, opened: Message | WithdrawnCopy, *, by: Person
) -> None:
    """Records that a message was opened."""
    if access is not None:
        _record(access, _of(opened, ReadingKind.MESSAGE), by=by)


def attachment(
    access: EmergencyAccess | None, opened: Message, name: str, *, by: Person
) -> None:
    """Records that an attachment was opened."""
    if access is not None:
        _record(access, _of(opened, ReadingKind.ATTACHMENT, name), by=by)


def frame(
    access: EmergencyAccess | None, opened: Message, attached: str = "", *, by: Person
) -> None:
    """Records that the text of a message was opened, unless its page just was.

    `attached` is the path of a message attached to it, whose text it is.
    """
    if access is None:
        return
    kind = ReadingKind.ATTACHMENT if attached else ReadingKind.MESSAGE
    just = access.readings.filter(
        kind=kind,
        what=attached,
        message_key=opened.pk,
        at__gt=timezone.now() - SAME_OPENING,
    )
    if not just.exists():
        _record(access, _of(opened, kind, attached), by=by)


def _of(opened: Message | WithdrawnCopy, kind: ReadingKind, what: str = "") -> Reading:
    return Reading(
        kind=kind,
        what=what,
        message_key=opened.pk,
        subject=opened.subject[:200],
        sender=opened.from_address,
        received_at=opened.received_at,
    )


@transaction.atomic
def _record(access: EmergencyAccess, reading: Reading, *, by: Person) -> None:
    reading.access = access
    reading.what = reading.what[:200]
    reading.save()
    detail: dict[str, object] = {"opened": reading.get_kind_display()}
    if reading.message_key is not None:
        # Neither subject nor name of a file or folder: the trail holds no content.
        detail |= {"message": reading.message_key, "sender": reading.sender}
    note("emergency_access.read", access, by=by, **detail)
