"""How long Deleted and Junk keep messages, and when a message there expires."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, F, When
from django.utils import timezone

from engine import calendar_days
from engine.audit.record import record
from engine.registry.models import Organisation, Person
from engine.storage.models import Folder, FolderRole, Message, Retention

_DAY = timedelta(days=1)
# The furthest from now that an expiry and a change of it can lie.
_FURTHEST = timedelta(days=2 * Retention.MAX_DAYS)


def retention_of(organisation: Organisation) -> Retention:
    """Returns the organisation's setting, or the default."""
    found = Retention.objects.filter(organisation=organisation).first()
    return found or Retention(organisation=organisation)


@transaction.atomic
def set_days(
    organisation: Organisation, *, deleted_days: int, junk_days: int, by: Person
) -> None:
    """Changes how many days an organisation's mailboxes keep Deleted and Junk.

    Messages that are there already expire by the new setting.
    """
    before = retention_of(organisation)
    after = Retention(
        organisation=organisation, deleted_days=deleted_days, junk_days=junk_days
    )
    # update_or_create() validates nothing.
    after.full_clean(validate_unique=False)
    Retention.objects.update_or_create(
        organisation=organisation,
        defaults={"deleted_days": deleted_days, "junk_days": junk_days},
    )
    _shift(organisation, FolderRole.TRASH, deleted_days - before.deleted_days)
    _shift(organisation, FolderRole.JUNK, junk_days - before.junk_days)
    record(
        "retention.set",
        organisation,
        organisation_key=organisation.pk,
        detail={"deleted_days": deleted_days, "junk_days": junk_days},
        by=by,
    )


def days(folder: Folder) -> int | None:
    """Returns after how many days a message in this folder expires; None for never."""
    if not folder.is_waste:
        return None
    kept = Retention.objects.filter(organisation__mailboxes=folder.mailbox_id).first()
    return _days(folder, kept)


def expiry(folder: Folder, now: datetime) -> datetime | None:
    """Returns when a message that is put into the folder now expires; None for never."""
    kept_days = days(folder)
    return None if kept_days is None else calendar_days.later(now, days=kept_days)


def expiries(folders: Collection[Folder], now: datetime) -> dict[int, datetime]:
    """Returns the expiry by folder id, for folders of any mailboxes. At most one query.

    Folders whose messages never expire are left out.
    """
    waste = [folder for folder in folders if folder.is_waste]
    if not waste:
        return {}
    rows = Retention.objects.filter(
        organisation__mailboxes__in={folder.mailbox_id for folder in waste}
    )
    kept = {
        mailbox_id: Retention(deleted_days=deleted_days, junk_days=junk_days)
        for mailbox_id, deleted_days, junk_days in rows.values_list(
            "organisation__mailboxes", "deleted_days", "junk_days"
        )
    }
    return {
        folder.pk: calendar_days.later(
            now, days=_days(folder, kept.get(folder.mailbox_id))
        )
        for folder in waste
    }


def _days(folder: Folder, kept: Retention | None) -> int:
    kept = kept or Retention()
    return kept.deleted_days if folder.role == FolderRole.TRASH else kept.junk_days


def _shift(organisation: Organisation, role: FolderRole, by_days: int) -> None:
    if by_days:
        Message.objects.filter(
            expires_at__isnull=False,
            folder__in=Folder.objects.filter(
                mailbox__organisation=organisation, role=role
            ),
        ).update(expires_at=_later_expiry(by_days))


def _later_expiry(by_days: int) -> Case:
    """Returns an expression for the stored expiry that many dates later.

    The distance differs by an hour on either side of a change of the clocks, so each
    stretch without one has its own.
    """
    now = timezone.now()
    changes = list(calendar_days.offset_changes(now, now + _FURTHEST))
    marks = sorted(
        {*changes, *(calendar_days.later(at, days=-by_days) for at in changes)}
    )
    # A moment inside each stretch.
    inside = [
        *(at - timedelta(minutes=1) for at in marks),
        (marks[-1] if marks else now) + _DAY,
    ]
    values = [
        F("expires_at") + (calendar_days.later(at, days=by_days) - at) for at in inside
    ]
    return Case(
        *(
            When(expires_at__lt=at, then=value)
            for at, value in zip(marks, values[:-1], strict=True)
        ),
        default=values[-1],
        output_field=DateTimeField(),
    )
