"""Second-factor policy: from when a person cannot go on without one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from engine import calendar_days
from engine.registry.models import Person
from engine.registry.permissions import roles_held
from engine.registry.permissions.checks import Visitor
from engine.registry.permissions.roles_held import RolesHeld


def second_factor_due(
    person: Visitor, *, roles: RolesHeld | None = None
) -> datetime | None:
    """Returns when the person must have a second factor; None if no rule asks for one.

    Staff, administrators and members of organisations that require it: immediately, so
    the time returned is in the past. Everyone else: under POSTERN_SECOND_FACTOR
    `everybody`, at the end of the day that is POSTERN_SECOND_FACTOR_GRACE_DAYS dates after
    their first sign-in to the website. People who only use a mail client never get there, and their mail
    keeps flowing. `roles` are the person's, where they were just read.
    """
    if not isinstance(person, Person):
        return None
    if _is_required_immediately(person, roles or roles_held.of_person(person)):
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


def needs_second_factor(person: Visitor, *, roles: RolesHeld | None = None) -> bool:
    """Returns True if the person's time to set up a second factor is over."""
    due = second_factor_due(person, roles=roles)
    return due is not None and due <= timezone.now()


def _is_required_immediately(person: Person, roles: RolesHeld) -> bool:
    if person.organisation is not None and person.organisation.mfa_required:
        return True
    return bool(roles.staff) or any(map(roles.administers, roles.in_organisations))
