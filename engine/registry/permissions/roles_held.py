"""The roles that a person holds, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest

from engine.registry.models import Person, RoleName

# Run for every page: building the equivalent querysets takes longer than the query.
ROLES_OF = """
    SELECT role, NULL FROM registry_staffrole WHERE person_id = %(person)s
    UNION ALL SELECT role, organisation_id FROM registry_organisationrole
        WHERE person_id = %(person)s
    UNION ALL SELECT '', NULL WHERE EXISTS (
        SELECT 1 FROM registry_mailbox WHERE owner_id = %(person)s AND is_active
    ) OR EXISTS (
        SELECT 1 FROM registry_grant WHERE person_id = %(person)s AND can_read
    )
"""
# What stands for a role where the person has a mailbox to read.
MAIL = ""
CACHE = "_roles_held"


@dataclass(frozen=True, slots=True)
class RolesHeld:
    """Staff roles, and the roles inside organisations by their id.

    Without the member role, which needs no row.
    """

    staff: frozenset[RoleName]
    in_organisations: Mapping[int, frozenset[RoleName]]
    has_mail: bool = False
    """Whether there is a mailbox that the person may read, were it in use."""

    def inside(self, organisation_id: int) -> frozenset[RoleName]:
        """Returns the roles that are held in one organisation."""
        return self.in_organisations.get(organisation_id, frozenset())

    def administers(self, organisation_id: int) -> bool:
        """Returns whether the person is one of the organisation's administrators."""
        return RoleName.ADMINISTRATOR in self.inside(organisation_id)


def of_person(person: Person) -> RolesHeld:
    """Reads the roles as they are now, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(ROLES_OF, {"person": person.pk})
        rows = cursor.fetchall()
    inside: dict[int, frozenset[RoleName]] = {}
    for name, organisation in rows:
        if organisation is not None:
            held = inside.get(organisation, frozenset())
            inside[organisation] = held | {RoleName(name)}
    staff = {name for name, place in rows if place is None}
    has_mail = MAIL in staff
    held_as_staff = frozenset(RoleName(name) for name in staff - {MAIL})
    return RolesHeld(held_as_staff, inside, has_mail)


def of_visitor(request: HttpRequest, person: Person) -> RolesHeld:
    """Returns what the signed-in person held when the request was first checked.

    Once for each request. What a view decides after it changed roles asks `of_person`.
    """
    found: RolesHeld | None = getattr(request, CACHE, None)
    if found is None:
        found = of_person(person)
        setattr(request, CACHE, found)
    return found
