"""People as a table, and the search in it: everywhere, or in one organisation."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from engine.registry.models import Person, StaffRole
from portal.console.organisations.frame import member_url
from portal.console.page import Cell, Table, state_cell
from portal.console.people.frame import person_url

HEADINGS = ("Name", "Address", "Organisation", "State")


def search_people(rows: QuerySet[Person], criteria: dict[str, str]) -> QuerySet[Person]:
    """Filters by the words of `q` in name, address and job title, and by `status`."""
    rows = rows.filter(Person.found_by(criteria["q"]))
    if criteria["status"] == "staff":
        return rows.filter(Exists(StaffRole.objects.filter(person=OuterRef("pk"))))
    if criteria["status"] in ("active", "suspended"):
        return rows.filter(is_active=criteria["status"] == "active")
    return rows


def people_table(people: Iterable[Person], *, is_search: bool) -> Table:
    """Builds the table; `is_search` decides what an empty one says."""
    empty = (
        "No person matches. Try a part of the name or of the address."
        if is_search
        else "No people yet. Add a person, or load a file of people."
    )
    return Table(HEADINGS, [_row(person) for person in people], empty)


def organisation_cell(person: Person) -> Cell:
    """The person's organisation with its link, or the service for staff."""
    organisation = person.organisation
    if organisation is None:
        return Cell("The service")
    return Cell(organisation.name, member_url("organisation", organisation.pk))


def _row(person: Person) -> list[Cell]:
    return [
        Cell(person.name, person_url(person)),
        Cell(person.address),
        organisation_cell(person),
        state_cell(person.is_active),
    ]
