"""What every verb on an application has in common."""

from __future__ import annotations

from collections.abc import Mapping

from engine.audit.record import record
from engine.registry.models import Person, RoleName
from onboarding import policies
from onboarding.models import Application, NoticeKind
from onboarding.notices.promise import promise
from onboarding.status import Status


def locked(application: Application) -> Application:
    """The row as it stands now, so that two people cannot change it at once.

    Must be called inside a transaction.
    """
    return Application.objects.select_for_update(of=("self",)).get(pk=application.pk)


def move(
    application: Application,
    status: Status,
    *,
    detail: Mapping[str, object] | None = None,
    by: Person | None,
) -> None:
    """Follow the table of transitions, save, and write it down.

    `by=None` is the applicant, by a link. Raises PolicyError.
    """
    policies.check_can_move(application, status)
    application.status = status
    application.save()
    record(f"application.{status}", application, detail=detail, by=by)


def tell_officers(application: Application, kind: NoticeKind) -> None:
    """To the officer who has it, or to all where nobody does."""
    officers = Person.objects.filter(
        is_active=True, staff_roles__role=RoleName.VETTING_OFFICER
    ).select_related("mailbox")
    own = officers.filter(pk=application.assigned_to_id or 0)
    for address in filter(None, map(_notice_address, own or officers)):
        promise(kind, to=address, about=application.pk)


def _notice_address(person: Person) -> str:
    """Where a member of staff reads notices: a mailbox here, or an everyday address."""
    return person.address if hasattr(person, "mailbox") else person.everyday_address
