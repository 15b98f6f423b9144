"""Entries about emergency access in the audit trail."""

from __future__ import annotations

from engine.audit.record import record
from engine.registry.models import Person
from portal.emergency_access import policies
from portal.emergency_access.models import EmergencyAccess


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
