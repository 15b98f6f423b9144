"""Who may take which part in approving: roles, and how long they have been held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import permutations
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.registry.credentials.account_recovery import recovery_delay
from engine.registry.models import (
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    RoleName,
    StaffRole,
)
from portal.emergency_access.models import Capacity, EmergencyAccess

# Not the editor of guides, who sees no member's data at all.
APPROVING_STAFF = (
    RoleName.OPERATOR,
    RoleName.HELPDESK_AGENT,
    RoleName.VETTING_OFFICER,
    RoleName.AUDITOR,
)


class Part(StrEnum):
    """The part that an approver takes; the values are for readers."""

    ADMINISTRATOR = "an administrator of the organisation"
    OPERATOR = "an operator"
    STAFF = "a member of staff"


def parts(access: EmergencyAccess) -> tuple[Part, Part]:
    """Returns the two parts that approvers of this request have to take."""
    if access.capacity == Capacity.OPERATOR:
        return (Part.ADMINISTRATOR, Part.STAFF)
    if _takers(access, Part.ADMINISTRATOR).exists():
        return (Part.ADMINISTRATOR, Part.OPERATOR)
    return (Part.OPERATOR, Part.OPERATOR)


def everybody(access: EmergencyAccess) -> QuerySet[Person]:
    """Returns everybody who may approve, whether or not they have."""
    first, second = parts(access)
    ids = [_takers(access, part).order_by().values("pk") for part in {first, second}]
    return Person.objects.filter(pk__in=ids[0].union(*ids[1:]))


def unavailable(access: EmergencyAccess) -> list[Part]:
    """Returns the parts for which there is nobody; empty where it can be approved."""
    # Two of each are enough to find a pair, however many there are.
    people = {
        one.pk: one for part in parts(access) for one in _takers(access, part)[:2]
    }
    return untaken(access, list(people.values()))


def untaken(access: EmergencyAccess, people: Sequence[Person]) -> list[Part]:
    """Returns the parts left over when as many people as possible take one each."""
    wanted = parts(access)
    takes = {
        part: set(_takers(access, part).filter(pk__in=[one.pk for one in people]))
        for part in set(wanted)
    }
    best: list[Part] = list(wanted)
    chosen: Sequence[Person | None] = [*people, None, None]
    for pair in permutations(chosen, 2):
        left = [
            part
            for part, person in zip(wanted, pair, strict=True)
            if person is None or person not in takes[part]
        ]
        if len(left) < len(best):
            best = left
    return best


def _takers(access: EmergencyAccess, part: Part) -> QuerySet[Person]:
    """Returns the people who may take a part: never the asker, nor the holder.

    Nor those who gave the asker the role: they could have made the account themselves.
    """
    match part:
        case Part.ADMINISTRATOR:
            found = administrators(access.organisation, since=long_ago())
        case Part.OPERATOR:
            found = staff(RoleName.OPERATOR, since=long_ago())
        case Part.STAFF:
            found = staff(*APPROVING_STAFF, since=long_ago())
    apart = [access.requested_by_id, access.holder_id, *access.role_givers]
    # A stolen account that was just recovered must not approve.
    shut = Q(mail_shut_at__isnull=False) & (
        Q(mail_shut_until=None) | Q(mail_shut_until__gt=timezone.now())
    )
    return found.exclude(pk__in=[pk for pk in apart if pk]).exclude(shut)


def long_ago() -> datetime:
    """Returns until when a role must have been given to count.

    A person could otherwise make the others, or the asker, for the purpose.
    """
    return timezone.now() - recovery_delay()


def administrators(
    organisation: Organisation | None, *, since: datetime | None = None
) -> QuerySet[Person]:
    """Returns the administrators of an active organisation who may sign in.

    `since` leaves out those who were given the role later.
    """
    roles = OrganisationRole.objects.filter(
        organisation=organisation,
        organisation__status=OrganisationStatus.ACTIVE,
        role=RoleName.ADMINISTRATOR,
    )
    return _active(roles, since)


def staff(*names: RoleName, since: datetime | None = None) -> QuerySet[Person]:
    """Returns the members of staff with one of the roles; `since` as above."""
    return _active(StaffRole.objects.filter(role__in=names), since)


def _active(roles: QuerySet[Any], since: datetime | None) -> QuerySet[Person]:
    """Returns the holders of roles who may sign in."""
    if since is not None:
        # Unset for roles that the system gave when an organisation began.
        roles = roles.filter(Q(given_at=None) | Q(given_at__lte=since))
    return Person.objects.filter(
        Q(organisation=None) | Q(organisation__status=OrganisationStatus.ACTIVE),
        pk__in=roles.values("person"),
        is_active=True,
    )
