"""The roles that a person holds, read at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from engine.database import statements
from engine.registry.models import Person, RoleName

# Run for every page: building the equivalent querysets takes longer than the query.
_ROLES_OF = """
    SELECT role AS role, '' AS place FROM registry_staffrole WHERE person_id = {person}
    UNION ALL SELECT role, CAST(organisation_id AS varchar(20))
        FROM registry_organisationrole WHERE person_id = {person}
    UNION ALL SELECT '', '' WHERE EXISTS (
        SELECT 1 FROM registry_mailbox WHERE owner_id = {person} AND is_active
    ) OR EXISTS (
        SELECT 1 FROM registry_grant WHERE person_id = {person} AND can_read
    )
"""
# What stands for a role where the person has a mailbox to read.
MAIL = ""
CACHE = "_roles_held"
# The attribute of a person that was loaded with their roles.
LOADED = "_roles_loaded"


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
    return _held(statements.fetch(_ROLES_OF.format(person="%s"), [person.pk] * 4))


def column(person: str) -> RawSQL:
    """Returns the roles of the person whose id is in this column, to be read with a row.

    `keep` takes what it finds.
    """
    join = "string_agg" if connection.vendor == "postgresql" else "group_concat"
    rows = _ROLES_OF.format(person=person)
    return RawSQL(  # noqa: S611 - the names are ours
        f"(SELECT {join}(held.role || ' ' || held.place, ',') FROM ({rows}) AS held)",  # noqa: S608
        [],
        output_field=TextField(),
    )


def keep(person: Person, found: str | None) -> None:
    """Keeps the roles that were read with a person, for the request that they begin."""
    named = (one.split(" ") for one in found.split(",")) if found is not None else ()
    setattr(person, LOADED, _held((role, place) for role, place in named))


def _held(rows: Iterable[tuple[str, str]]) -> RolesHeld:
    inside: dict[int, frozenset[RoleName]] = {}
    staff = set()
    for name, place in rows:
        if place:
            held = inside.get(int(place), frozenset())
            inside[int(place)] = held | {RoleName(name)}
        else:
            staff.add(name)
    held_as_staff = frozenset(RoleName(name) for name in staff - {MAIL})
    return RolesHeld(held_as_staff, inside, MAIL in staff)


def of_visitor(request: HttpRequest, person: Person) -> RolesHeld:
    """Returns what the signed-in person held when the request was first checked.

    Once for each request. What a view decides after it changed roles asks `of_person`.
    """
    found: RolesHeld | None = getattr(request, CACHE, None)
    if found is None:
        found = getattr(person, LOADED, None) or of_person(person)
        setattr(request, CACHE, found)
    return found
