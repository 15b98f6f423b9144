"""Entries about emergency access in the audit trail."""

from __future__ import annotations

from django.db.models import QuerySet

from engine.audit.models import Entry
from engine.audit.record import record
from engine.registry.models import Person
from portal.emergency_access import policies
from portal.emergency_access.models import EmergencyAccess, Status


def note(
    event: str, access: EmergencyAccess, *, by: Person | None, **detail: object
) -> None:
    """Appends an entry about an access.

    It is filed under the organisation, unless the holder would read it there before they
    are to be told. Empty details are left out.
    """
    is_filed = policies.shows_in_history(access)
    record(
        event,
        access,
        organisation_key=access.organisation_id if is_filed else "",
        detail={
            "request": access.pk,
            **{name: value for name, value in detail.items() if value},
        },
        by=by,
    )


def without_withheld(rows: QuerySet[Entry], *, reader: Person) -> QuerySet[Entry]:
    """Leaves out the reader's own mailbox while it is asked for, or open and withheld.

    For auditors, who read the whole trail. Once it has ended they read of it too.
    """
    unfinished = EmergencyAccess.objects.filter(
        holder=reader, told_at=None, status__in=(Status.WAITING, Status.OPEN)
    )
    keys = [str(pk) for pk in unfinished.values_list("pk", flat=True)]
    if not keys:
        return rows
    kind = EmergencyAccess._meta.label_lower
    return rows.exclude(subject_kind=kind, subject_key__in=keys)
