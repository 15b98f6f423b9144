"""Queries that are compiled once: the same models as the queryset finds, each time."""

from __future__ import annotations

import pytest
from django.db.models import Count, QuerySet
from pytest_django import DjangoAssertNumQueries

from engine.database.prepared_queries import PreparedQuery
from engine.registry.models import Person
from tests import factories

pytestmark = pytest.mark.django_db


def _people(organisation: int, address: str) -> QuerySet[Person]:
    rows = Person.objects.filter(organisation=organisation, organisation__pk__gt=0)
    rows = rows.exclude(address=address).select_related("organisation")
    return rows.annotate(rights=Count("grants")).order_by("address")[:5]


def test_each_call_finds_what_its_own_values_ask_for() -> None:
    query = PreparedQuery(_people)
    first, second = factories.make_organisation(), factories.make_organisation()
    jane, sam = (
        factories.make_person(f"{name}@first.secure.example", first)
        for name in ("jane", "sam")
    )
    vera = factories.make_person("vera@second.secure.example", second)
    factories.make_grant(
        factories.make_group_mailbox("post@first.secure.example", first), sam
    )

    for _ in range(2):
        assert query(first.pk, "") == [jane, sam]
        assert query(first.pk, jane.address) == [sam]
        assert query(second.pk, "%s it's") == [vera]
        assert query.first(second.pk, vera.address) is None


def test_models_are_whole(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    query = PreparedQuery(_people)
    organisation = factories.make_organisation()
    jane = factories.make_person("jane@first.secure.example", organisation)
    jane.refresh_from_db()

    query(organisation.pk, "")
    with django_assert_num_queries(1):
        found = query.first(organisation.pk, "")
        assert found is not None
        assert found.organisation == organisation
    assert found.created_at == jane.created_at
    assert found.is_active is True
    assert vars(found)["rights"] == 0
    found.name = "Jane Lindqvist"
    found.save()
    jane.refresh_from_db()
    assert jane.name == "Jane Lindqvist"


def test_any_number_of_values() -> None:
    query = PreparedQuery(lambda *ids: Person.objects.filter(pk__in=ids))
    organisation = factories.make_organisation()
    people = [
        factories.make_person(f"p{number}@first.secure.example", organisation)
        for number in range(3)
    ]

    assert set(query(*(one.pk for one in people))) == set(people)
    assert query(people[1].pk, people[1].pk) == [people[1]]
