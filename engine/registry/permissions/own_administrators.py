"""What only an organisation's own administrators do, not staff in their place.

A person who makes a second account could otherwise give it the power to read an
organisation's mail, and use that account too.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    ApiKey,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    RoleName,
)


def administers(person: Person, organisation: Organisation) -> bool:
    """Returns True for a holder of the organisation's own role; staff roles do not count."""
    return OrganisationRole.objects.filter(
        person=person, organisation=organisation, role=RoleName.ADMINISTRATOR
    ).exists()


def active_administrators(organisation: Organisation) -> QuerySet[Person]:
    """Returns the administrators who sign in, or will when the organisation is resumed.

    Suspending the organisation therefore lets staff name no other.
    """
    signs_in = (
        Q(person__organisation=None)
        | Q(person__organisation=F("organisation"))
        | Q(person__organisation__status=OrganisationStatus.ACTIVE)
    )
    roles = OrganisationRole.objects.filter(
        signs_in,
        organisation=organisation,
        role=RoleName.ADMINISTRATOR,
        person__is_active=True,
    )
    return Person.objects.filter(pk__in=roles.values("person"))


def check_may_open_mail(organisation: Organisation, *, by: Actor | None) -> None:
    """Raises PolicyError unless `by` may let a person into the organisation's mail.

    That is by a right to a group mailbox, or by the role that gives such rights. The
    organisation's own administrators and API keys may; staff, and keys of the community,
    only where no administrator is left. `by=None` is the system, which sets
    organisations up.
    """
    if by is None:
        return
    acts = person_behind(by)
    if acts is not None and acts.is_mail_shut:
        raise PolicyError(
            "Your own account has just been recovered. You can do this when your "
            "mailbox is unlocked."
        )
    if not is_outsider(by, organisation):
        return
    if active_administrators(organisation).exists():
        raise PolicyError(
            f"Only an administrator of {organisation} can do this: staff cannot let "
            "anyone into an organisation's mail. If none of its administrators can sign "
            "in, recover the account of one."
        )


def person_behind(by: Actor | None) -> Person | None:
    """Returns who acts: the person, or the one who made the API key. None for neither.

    What nobody may do for themselves, they may not do by a key of theirs either.
    """
    return by.made_by if isinstance(by, ApiKey) else by


def is_outsider(by: Actor | None, organisation: Organisation) -> bool:
    """Returns True for staff without a role in the organisation, and for others' keys."""
    if by is None:
        return False
    if isinstance(by, ApiKey):
        return by.organisation_id != organisation.pk
    return not administers(by, organisation)


def givers(
    person: Person, role: RoleName, organisation: Organisation | None = None
) -> frozenset[int]:
    """Returns the ids of the people who gave a person a role, from the audit trail.

    For a role in an organisation also those who gave that role to its givers: an account
    between two of one person's would otherwise hide who gave it.
    """
    event = "role.given" if organisation else "staff_role.given"
    found: set[int] = set()
    ahead = {person.pk}
    while ahead:
        rows = Entry.objects.filter(
            event=event,
            subject_kind=Person._meta.label_lower,
            subject_key__in=[str(pk) for pk in ahead],
            organisation_key=str(organisation.pk) if organisation else "",
        ).values_list("by_key", "detail")
        keys = [key for key, detail in rows if detail.get("role") == str(role)]
        by = _people_behind(keys)
        ahead = by - found if organisation else set()
        found |= by
    return frozenset(found - {person.pk})


def _people_behind(audit_keys: Iterable[str]) -> set[int]:
    """Returns the ids of people who acted, themselves or by an API key that they made.

    The system's audit key is empty.
    """
    keys = list(audit_keys)
    people = {int(key) for key in keys if key.isdecimal()}
    by_key = {key.removeprefix("key:") for key in keys if key.startswith("key:")}
    made = ApiKey.objects.filter(pk__in=by_key, made_by__isnull=False)
    return people | {
        made_by for made_by in made.values_list("made_by", flat=True) if made_by
    }
