"""Texts that are written again and again: a person's own, and their organisation's."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet

from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from portal.webmail.models import TextTemplate

LIMIT = 50


def of(person: Person) -> QuerySet[TextTemplate]:
    """Returns the templates that a person may insert, their own first."""
    rows = Q(person=person)
    if person.organisation_id is not None:
        rows |= Q(organisation=person.organisation_id)
    own_first = F("organisation").asc(nulls_first=True)
    return TextTemplate.objects.filter(rows).order_by(own_first, "name", "pk")


def administered_by(person: Person) -> Organisation | None:
    """Returns the organisation whose templates a person may change, or None."""
    organisation = person.organisation
    if organisation is None:
        return None
    may = permissions.can(person, Permission.EDIT_ORGANISATION)
    return organisation if may else None


def changeable_by(person: Person) -> QuerySet[TextTemplate]:
    """Returns the templates that a person may change or delete."""
    organisation = administered_by(person)
    rows = Q(person=person)
    if organisation is not None:
        rows |= Q(organisation=organisation)
    return TextTemplate.objects.filter(rows)


@transaction.atomic
def save(template: TextTemplate, *, name: str, text: str) -> TextTemplate:
    """Adds or changes a template. Raises PolicyError for a second one of that name."""
    others = TextTemplate.objects.filter(
        person=template.person, organisation=template.organisation
    ).exclude(pk=template.pk or 0)
    if others.filter(name=name).exists():
        raise PolicyError(f"There is a template called {name} already.")
    if others.count() >= LIMIT:
        raise PolicyError(f"You can keep at most {LIMIT} templates.")
    template.name, template.text = name, text
    template.save()
    return template
