"""Pages of a list that a search for text has narrowed."""

from __future__ import annotations

from random import Random

import pytest
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import RequestFactory

from engine.registry.models import Organisation, Person
from portal.ui import pagination
from portal.ui.pagination import paginate

NAMES = ("Ann Webb", "Ann Webb", "Jane Hall", "Jane Wood", "Omar Khan", "Zoe Abbot")


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "PER_PAGE", 2)
    monkeypatch.setattr(pagination, "NEAR", 4)


@pytest.fixture
def many(northfield: Organisation) -> QuerySet[Person]:
    random = Random(1)
    Person.objects.bulk_create(
        Person(
            address=f"p{number}@northfield.secure.example",
            name=random.choice(NAMES),
            organisation=northfield,
            password="!",
        )
        for number in range(40)
    )
    return Person.objects.all()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("word", ["jane", "zoe", "ann", "ja", "wo", "p1", "nobody"])
def test_pages_of_a_search_are_those_of_the_whole_list(
    many: QuerySet[Person], word: str, descending: bool
) -> None:
    found = many.filter(Person.found_by(word))
    wanted = list(found.order_by("name", "pk"))[:: -1 if descending else 1]

    forwards, links = [], [""]
    while links[-1] is not None:
        page = _page(found, many, links[-1], descending)
        forwards.append(page.rows)
        links.append(page.links.get("next", {}).get("href"))
    backwards, link = [], links[-2]
    while link is not None:
        page = _page(found, many, link, descending)
        backwards.append(page.rows)
        link = page.links.get("previous", {}).get("href")

    assert [row for rows in forwards for row in rows] == wanted
    assert [row for rows in backwards[::-1] for row in rows] == wanted


def _page(
    found: QuerySet[Person], everyone: QuerySet[Person], href: str, descending: bool
) -> pagination.Page[Person]:
    query = QueryDict(href.removeprefix("?")).dict()
    return paginate(
        RequestFactory().get("/", query),
        found,
        by="name",
        descending=descending,
        searched=everyone,
    )


@pytest.mark.parametrize(
    ("word", "is_found"),
    [
        ("ohn", True),
        ("JOHN", True),
        ("mit", True),
        ("jo", True),
        ("S", True),
        ("oh", False),
        ("%", False),
    ],
)
def test_one_or_two_letters_begin_a_word(
    northfield: Organisation, word: str, is_found: bool
) -> None:
    Person.objects.create(
        address="x@northfield.secure.example", name="John Smith", password="!"
    )

    assert Person.objects.filter(Person.found_by(word)).exists() is is_found
