"""Locks an application, changes its status, and notifies the officers."""

from __future__ import annotations

from collections.abc import Mapping

from engine.audit.record import record
from engine.registry.models import Person, RoleName
from onboarding.models import Application, NoticeKind
from onboarding.notices import outbox
from onboarding.status import Status
from onboarding.vetting import policies


def lock(application: Application) -> Application:
    """Returns the application's current row, locked until the transaction ends.

    Serialises concurrent changes: without the lock two officers could both approve.
    Every action locks the application before its parts, so that no two of them can
    deadlock. Must be called inside a transaction.
    """
    return Application.objects.select_for_update(of=("self",)).get(pk=application.pk)


def change_status(
    application: Application,
    status: Status,
    *,
    detail: Mapping[str, object] | None = None,
    by: Person | None,
) -> None:
    """Changes the status, saves, and records `application.<status>` in the audit trail.

    `by=None` is the applicant, authenticated by a link. Raises PolicyError if the table
    of transitions does not allow it.
    """
    policies.check_can_move(application, status)
    application.status = status
    application.save()
    record(f"application.{status}", application, detail=detail, by=by)


def notify_officers(application: Application, kind: NoticeKind) -> None:
    """Sends a notice to the assigned officer, or to all officers if it is unassigned."""
    officers = Person.objects.filter(
        is_active=True, staff_roles__role=RoleName.VETTING_OFFICER
    ).select_related("mailbox")
    own = officers.filter(pk=application.assigned_to_id or 0)
    for address in filter(None, map(_notice_address, own or officers)):
        outbox.add(kind, to=address, about=application.pk)


def _notice_address(person: Person) -> str:
    """Returns the officer's own mailbox here, or else their everyday address."""
    return person.address if hasattr(person, "mailbox") else person.everyday_address
