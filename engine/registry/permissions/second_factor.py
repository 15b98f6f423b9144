"""Second-factor policy: from when a person cannot go on without one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from engine import calendar_days
from engine.database.statements import fetch
from engine.registry.models import Person, RoleName
from engine.registry.permissions.checks import Visitor

# Every page asks: building the querysets takes longer than running them.
IS_STAFF = "SELECT 1 FROM registry_staffrole WHERE person_id = %s LIMIT 1"
ADMINISTERS = (
    "SELECT 1 FROM registry_organisationrole WHERE person_id = %s AND role = %s LIMIT 1"
)


def second_factor_due(person: Visitor) -> datetime | None:
    """Returns when the person must have a second factor; None if no rule asks for one.

    Staff, administrators and members of organisations that require it: immediately, so
    the time returned is in the past. Everyone else: under POSTERN_SECOND_FACTOR
    `everybody`, at the end of the day that is POSTERN_SECOND_FACTOR_GRACE_DAYS dates after
    their first sign-in to the website. People who only use a mail client never get there, and their mail
    keeps flowing.
    """
    if not isinstance(person, Person):
        return None
    if _is_required_immediately(person):
        return person.created_at
    ours = settings.POSTERN
    if ours.second_factor != "everybody" or person.first_signed_in_at is None:
        return None
    began, grace = person.first_signed_in_at, ours.second_factor_grace_days
    if not grace:
        return began
    return calendar_days.end_of(
        timezone.localdate(calendar_days.later(began, days=grace))
    )


def needs_second_factor(person: Visitor) -> bool:
    """Returns True if the person's time to set up a second factor is over."""
    due = second_factor_due(person)
    return due is not None and due <= timezone.now()


def _is_required_immediately(person: Person) -> bool:
    if person.organisation is not None and person.organisation.mfa_required:
        return True
    administrator = [person.pk, RoleName.ADMINISTRATOR.value]
    return bool(fetch(IS_STAFF, [person.pk]) or fetch(ADMINISTERS, administrator))
