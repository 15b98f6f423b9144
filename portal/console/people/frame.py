"""What all pages about people have in common: icon, breadcrumbs and lookup."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from engine.registry.models import Person
from portal.console.organisations.frame import member_url

ICON = "user"
ABOVE = (("members:people", "People"),)


def get_person(pk: int) -> Person:
    """Raises Http404."""
    return get_object_or_404(Person.objects.select_related("organisation"), pk=pk)


def person_url(person: Person) -> str:
    """The URL of the person's page."""
    return member_url("person", person.pk)
