"""People, found and listed, in one organisation or in all of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from engine.registry.models import Person, StaffRole
from portal.console.organisations.frame import url
from portal.console.sheet import Cell, Table

HEADINGS = ("Name", "Address", "Organisation", "State")


def search_people(rows: QuerySet[Person], typed: dict[str, str]) -> QuerySet[Person]:
    """By `q` in name and address, and by `status`."""
    for word in typed["q"].split():
        rows = rows.filter(Q(name__icontains=word) | Q(address__icontains=word))
    if typed["status"] == "staff":
        return rows.filter(Exists(StaffRole.objects.filter(person=OuterRef("pk"))))
    if typed["status"] in ("active", "suspended"):
        return rows.filter(is_active=typed["status"] == "active")
    return rows


def people_table(people: Iterable[Person], *, is_search: bool) -> Table:
    empty = (
        "Nobody fits. Look for a part of the name or of the address."
        if is_search
        else "There is nobody yet. Add a person, or load a file of people."
    )
    return Table(HEADINGS, [_row(person) for person in people], empty)


def _row(person: Person) -> list[Cell]:
    organisation = person.organisation
    return [
        Cell(person.name, url("person", person.pk)),
        Cell(person.address),
        Cell(organisation.name, url("organisation", organisation.pk))
        if organisation
        else Cell("The service"),
        Cell("Active") if person.is_active else Cell("Suspended", is_alarming=True),
    ]
