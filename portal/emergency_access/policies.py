"""Who may ask for, approve, read, end and see an emergency access.

Everything is denied that a function here does not allow. A second factor is required of
everybody who acts: they administer an organisation or are staff, and the middleware of
`portal.account` lets neither reach any page without one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from engine.registry import permissions
from engine.registry.credentials.account_recovery import recovery_delay
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Mailbox,
    OrganisationRole,
    Person,
    RoleName,
    StaffRole,
)
from portal.emergency_access import approvers
from portal.emergency_access.approvers import Part
from portal.emergency_access.models import (
    REQUEST_LIFETIME,
    Approval,
    Capacity,
    EmergencyAccess,
    Status,
)

# Requests of one person that wait or are open: more would be no emergency.
MOST_UNFINISHED = 5


def capacity_of(
    person: Person, holder: Person, *, since: datetime | None = None
) -> Capacity | None:
    """Returns as what the person asks about this holder; None where they may not.

    Administrators ask as such, even if they are operators too. `since` leaves out roles
    that were given later.
    """
    if person.is_mail_shut or not permissions.may_sign_in(person):
        return None
    found = approvers.administrators(holder.organisation, since=since)
    if found.filter(pk=person.pk).exists():
        return Capacity.ADMINISTRATOR
    if approvers.staff(RoleName.OPERATOR, since=since).filter(pk=person.pk).exists():
        return Capacity.OPERATOR
    return None


def may_ask_about(holder: Person, *, by: Person) -> bool:
    """True where pages offer `by` to ask for access to the holder's mailbox."""
    return (
        holder != by
        and Mailbox.objects.filter(owner=holder).exists()
        and capacity_of(by, holder) is not None
    )


def check_can_ask(mailbox: Mailbox, *, by: Person) -> Capacity:
    """Returns as what `by` asks. Raises PolicyError with the sentence to show.

    Refuses what no two people could approve, and roles that were just given: an approver
    could have made the asker.
    """
    holder = mailbox.owner
    if holder is None:
        raise PolicyError(
            "Emergency access is for people's own mailboxes. Give a person rights to "
            "the group mailbox instead."
        )
    if holder == by:
        raise PolicyError("This is your own mailbox.")
    if capacity_of(by, holder) is None:
        raise PolicyError(permissions.REFUSAL)
    capacity = capacity_of(by, holder, since=approvers.long_ago())
    if capacity is None:
        raise PolicyError(
            f"Your role is too new. You can ask when you have held it for {_hours()} "
            "hours."
        )
    rows = EmergencyAccess.objects.filter(
        requested_by=by, status__in=(Status.WAITING, Status.OPEN)
    )
    unfinished = [one for one in rows if one.is_waiting or one.is_open]
    if any(one.mailbox_id == mailbox.pk for one in unfinished):
        raise PolicyError("You have already asked for access to this mailbox.")
    if len(unfinished) >= MOST_UNFINISHED:
        raise PolicyError(
            f"You have {MOST_UNFINISHED} requests that wait or are open. End one first."
        )
    asked = EmergencyAccess(
        mailbox=mailbox,
        holder=holder,
        organisation=mailbox.organisation,
        requested_by=by,
        capacity=capacity,
    )
    _check_somebody_can_approve(asked)
    return capacity


def counted(access: EmergencyAccess) -> list[Approval]:
    """Returns the approvals of people who could still give them."""
    given = access.approvals.filter(person__in=approvers.everybody(access))
    return list(given.select_related("person"))


def missing(access: EmergencyAccess) -> list[Part]:
    """Returns the parts that no approver has taken yet; empty where it is approved."""
    people = [one.person for one in counted(access) if one.person]
    return approvers.untaken(access, people)


def check_can_refuse(access: EmergencyAccess, *, by: Person) -> None:
    """Raises PolicyError unless it waits, and `by` is among those who may approve.

    They may refuse after others have approved, and after they have themselves.
    """
    if not access.is_waiting:
        raise PolicyError("This request no longer waits for approval.")
    if not approvers.everybody(access).filter(pk=by.pk).exists():
        raise PolicyError(permissions.REFUSAL)


def may_refuse(access: EmergencyAccess, *, by: Person) -> bool:
    """True for a person who may refuse it now."""
    try:
        check_can_refuse(access, by=by)
    except PolicyError:
        return False
    return True


def check_can_approve(access: EmergencyAccess, *, by: Person) -> None:
    """Raises PolicyError unless `by` may approve, and their approval is missing."""
    check_can_refuse(access, by=by)
    if access.approvals.filter(person=by).exists():
        raise PolicyError("You have approved this request already.")
    people = [one.person for one in counted(access) if one.person]
    still = approvers.untaken(access, people)
    if len(approvers.untaken(access, [*people, by])) == len(still):
        raise PolicyError(
            f"This request still needs the approval of {still[0]}, which you cannot give."
        )


def may_approve(access: EmergencyAccess, *, by: Person) -> bool:
    """True for a person whose approval is missing now."""
    try:
        check_can_approve(access, by=by)
    except PolicyError:
        return False
    return True


def may_read(access: EmergencyAccess, *, by: Person) -> bool:
    """True for the person who asked, while it is open and they keep their role."""
    return access in readable(by)


def readable(person: Person) -> list[EmergencyAccess]:
    """Returns the open accesses under which the person may read now, with mailboxes.

    Asked at each request: the access ends with the reader's role, or their account.
    """
    rows = EmergencyAccess.objects.filter(
        requested_by=person,
        status=Status.OPEN,
        ends_at__gt=timezone.now(),
        mailbox__isnull=False,
        holder__isnull=False,
    ).select_related("mailbox__organisation", "holder__organisation")
    return [
        one
        for one in rows
        if one.holder is not None
        and one.mailbox is not None
        and one.mailbox.owner_id == one.holder_id
        and capacity_of(person, one.holder, since=approvers.long_ago()) is not None
    ]


def may_end(access: EmergencyAccess, *, by: Person) -> bool:
    """True for the asker; and for an approver, while it is open."""
    if access.is_waiting:
        return access.requested_by_id == by.pk
    return access.is_open and takes_part(access, by=by)


def takes_part(access: EmergencyAccess, *, by: Person) -> bool:
    """True for the asker, and for those who have approved."""
    return (
        access.requested_by_id == by.pk or access.approvals.filter(person=by).exists()
    )


def may_see_subjects(access: EmergencyAccess, *, by: Person) -> bool:
    """True for the reader and the holder: the approvers see no content of messages."""
    return by.pk in (access.requested_by_id, access.holder_id)


def may_see(access: EmergencyAccess, *, by: Person) -> bool:
    """True for those who take part or could, for auditors, and for a holder who was told."""
    if not permissions.may_sign_in(by):
        return False
    if by.pk == access.holder_id:
        return access.told_at is not None
    return (
        takes_part(access, by=by)
        or approvers.staff(RoleName.AUDITOR).filter(pk=by.pk).exists()
        or may_refuse(access, by=by)
    )


def visible_to(
    person: Person, undecided: Iterable[EmergencyAccess] | None = None
) -> QuerySet[EmergencyAccess]:
    """Returns the accesses that a person may see; the rule of `may_see`.

    `undecided` is what `undecided_for` returned, where the caller has asked.
    """
    if not permissions.may_sign_in(person):
        return EmergencyAccess.objects.none()
    rows = EmergencyAccess.objects.exclude(holder=person, told_at=None)
    if approvers.staff(RoleName.AUDITOR).filter(pk=person.pk).exists():
        return rows
    approved = Approval.objects.filter(access=OuterRef("pk"), person=person)
    if undecided is None:
        undecided = undecided_for(person)
    return rows.filter(
        Q(requested_by=person)
        | Q(holder=person)
        | Q(Exists(approved))
        | Q(pk__in=[one.pk for one in undecided])
    )


def undecided_for(person: Person) -> list[EmergencyAccess]:
    """Returns the requests that wait and that the person may refuse, the oldest first."""
    since = timezone.now() - REQUEST_LIFETIME
    waiting = EmergencyAccess.objects.filter(
        status=Status.WAITING, requested_at__gt=since
    ).exclude(requested_by=person)
    if not StaffRole.objects.filter(person=person).exists():
        administered = OrganisationRole.objects.filter(
            person=person, role=RoleName.ADMINISTRATOR
        )
        waiting = waiting.filter(organisation__in=administered.values("organisation"))
    related = ("organisation", "holder", "requested_by")
    rows = waiting.select_related(*related).order_by("pk")
    return [one for one in rows if may_refuse(one, by=person)]


def to_approve(
    person: Person, undecided: Iterable[EmergencyAccess] | None = None
) -> list[EmergencyAccess]:
    """Returns the requests that wait for this person's approval, the oldest first."""
    if undecided is None:
        undecided = undecided_for(person)
    return [one for one in undecided if may_approve(one, by=person)]


def shows_in_history(access: EmergencyAccess) -> bool:
    """False while an entry in the organisation's history would tell the holder."""
    if access.told_at is not None or access.holder is None:
        return True
    everybody = OrganisationRole.objects.filter(
        person=access.holder,
        organisation=access.organisation,
        role=RoleName.ADMINISTRATOR,
    )
    return not everybody.exists()


def _check_somebody_can_approve(access: EmergencyAccess) -> None:
    untaken = approvers.unavailable(access)
    if not untaken:
        return
    if Part.ADMINISTRATOR in untaken:
        raise PolicyError(
            "Nobody could approve this: the organisation has no administrator but the "
            "holder of the mailbox who has held the role for "
            f"{_hours()} hours. Have another person made administrator first."
        )
    raise PolicyError(
        f"Nobody could approve this: it needs {untaken[0]} other than yourself and those "
        "who gave you your role. Call the helpdesk."
    )


def _hours() -> str:
    return f"{recovery_delay().total_seconds() / 3600:.0f}"
