"""Who may ask for, approve, read, end and see an emergency access.

Everything is denied that a function here does not allow. A second factor is required of
everybody who acts: they administer an organisation or are staff, and the middleware of
`portal.account` lets neither reach any page without one.
"""

from __future__ import annotations

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


def capacity_of(person: Person, holder: Person) -> Capacity | None:
    """Returns as what the person asks about this holder; None where they may not.

    Administrators ask as such, even if they are operators too.
    """
    if person.is_mail_shut or not permissions.may_sign_in(person):
        return None
    if approvers.administrators(holder.organisation).filter(pk=person.pk).exists():
        return Capacity.ADMINISTRATOR
    if approvers.staff(RoleName.OPERATOR).filter(pk=person.pk).exists():
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

    Refuses what no two people could approve.
    """
    holder = mailbox.owner
    if holder is None:
        raise PolicyError(
            "Emergency access is for people's own mailboxes. Give a person rights to "
            "the group mailbox instead."
        )
    if holder == by:
        raise PolicyError("This is your own mailbox.")
    capacity = capacity_of(by, holder)
    if capacity is None:
        raise PolicyError(permissions.REFUSAL)
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


def check_can_approve(access: EmergencyAccess, *, by: Person) -> None:
    """Raises PolicyError unless `by` may approve, and their approval is missing."""
    if not access.is_waiting:
        raise PolicyError("This request no longer waits for approval.")
    if not approvers.everybody(access).filter(pk=by.pk).exists():
        raise PolicyError(permissions.REFUSAL)
    if access.approvals.filter(person=by).exists():
        raise PolicyError("You have approved this request already.")
    people = [one.person for one in counted(access) if one.person]
    still = approvers.untaken(access, people)
    if len(approvers.untaken(access, [*people, by])) == len(still):
        raise PolicyError(
            f"This request still needs the approval of {still[0]}, which you cannot give."
        )


def may_decide(access: EmergencyAccess, *, by: Person) -> bool:
    """True for a person who may approve or refuse it now."""
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
        and capacity_of(person, one.holder) is not None
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


def visible_to(person: Person) -> QuerySet[EmergencyAccess]:
    """Returns the accesses that a person may see.

    Those they asked for or approved, or could approve; those to their own mailbox, once
    they were told; and all of them for auditors.
    """
    if not permissions.may_sign_in(person):
        return EmergencyAccess.objects.none()
    rows = EmergencyAccess.objects.exclude(holder=person, told_at=None)
    if approvers.staff(RoleName.AUDITOR).filter(pk=person.pk).exists():
        return rows
    approved = Approval.objects.filter(access=OuterRef("pk"), person=person)
    return rows.filter(
        Q(requested_by=person)
        | Q(holder=person)
        | Q(Exists(approved))
        | Q(pk__in=[one.pk for one in to_decide(person)])
    )


def to_decide(person: Person) -> list[EmergencyAccess]:
    """Returns the requests that wait for this person's approval, the oldest first."""
    since = timezone.now() - REQUEST_LIFETIME
    waiting = EmergencyAccess.objects.filter(
        status=Status.WAITING, requested_at__gt=since
    ).exclude(requested_by=person)
    if not StaffRole.objects.filter(person=person).exists():
        administered = OrganisationRole.objects.filter(
            person=person, role=RoleName.ADMINISTRATOR
        )
        waiting = waiting.filter(organisation__in=administered.values("organisation"))
    rows = waiting.select_related("organisation", "holder").order_by("pk")
    return [one for one in rows if may_decide(one, by=person)]


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
            f"{recovery_delay().total_seconds() / 3600:.0f} hours. Have another person "
            "made administrator first."
        )
    raise PolicyError(
        f"Nobody could approve this: it needs {untaken[0]} other than yourself. Call the "
        "helpdesk."
    )
