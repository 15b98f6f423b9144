"""Columns of words: both databases find the rows that a comparison in Python finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry
from engine.audit.record import record
from engine.folding import columns
from engine.registry import tasks, word_columns
from engine.registry.models import Alias, IndexPass, Organisation, Person
from tests import factories
from tests.engine.folding.test_words import PAIRS

NAMES = st.sampled_from(
    [
        *("O'Brien", "O\u2019Brien", "OBrien", "O Brien", "o", "brien", "D Souza"),
        *("Smith-Jones", "Smith\u2013Jones", "smithjones", "Smith", "jones", "SMITH"),
        *("Łódź", "lodz", "Þóra", "thora", "Y\u0131ld\u0131z", "Ħal", "Groß", "gross"),
        *("ann@law.org.uk", "law.org", "person.suspended", "100%", "a_b", "\\", "st."),
        *("\U0001e900\U0001e901", "\u08b6\u0629", "\u7de8\u96c6", "\ufdfa"),
    ]
)
TEXTS = st.lists(st.one_of(NAMES, st.text(max_size=6)), max_size=6).map(" ".join)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=100,
)
@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
def test_the_database_finds_what_a_comparison_finds(
    db: None, written: list[str], typed: str
) -> None:
    Organisation.objects.all().delete()
    names = [text.replace("\0", "")[:200] for text in written]
    for name in names:
        factories.make_organisation(name=name)

    rows = Organisation.objects.filter(Organisation.found_by(typed)).order_by("pk")

    assert [row.name for row in rows] == [
        name for name in names if not typed.strip() or columns.is_found([name], typed)
    ]


@pytest.mark.parametrize(("query", "name"), PAIRS)
def test_every_spelling_of_a_name_finds_every_other(query: str, name: str) -> None:
    assert columns.is_found([name], query)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("ann@law.org.uk", True),
        ("ANN@LAW.ORG.UK", True),
        ("law.org", True),
        ("ann smith", True),
        ("mith", True),
        ("org.law", False),
        ("law@ann", False),
        ("smith.ann", False),
        ("uk clerk", True),
        ("uk.clerk", False),
        ("***", False),
        ("zz", False),
        ("th", False),
        ("th*", False),
    ],
)
def test_a_pasted_address_is_found_as_it_stands(query: str, is_found: bool) -> None:
    texts = ["Ann Smith", "ann@law.org.uk", "Clerk"]

    assert columns.is_found(texts, query) is is_found


def found(text: str) -> list[str]:
    rows = Person.objects.filter(Person.found_by(text))
    return [row.address for row in rows]


def test_whatever_writes_a_text_writes_its_words(db: None) -> None:
    bulk = Person(address="bulk@x.example", name="Łucja", password="!")
    Person.objects.bulk_create([bulk])
    one = factories.make_person("one@x.example", name="Siân")
    assert found("lucja") == ["bulk@x.example"]

    one.name = "Þóra"
    one.save(update_fields=["name"])
    assert found("thora") == ["one@x.example"]
    assert found("sian") == []

    one.name = "Not saved"
    one.save(update_fields=["phone"])
    assert found("thora") == ["one@x.example"]


@pytest.fixture
def older(db: None) -> Iterator[Person]:
    """A person added by a process of the version before."""
    person = factories.make_person("older@x.example", name="Łukasz Wałęsa")
    Person.objects.filter(pk=person.pk).update(words=None)
    return person


def test_a_row_without_words_is_found_as_it_is_written(older: Person) -> None:
    assert found("Łukasz WA") == ["older@x.example"]
    assert found("wałęsa\0 older@x") == ["older@x.example"]
    assert found("Nobody") == found("lukasz") == found("***") == []


def test_the_job_fills_each_table_and_what_is_added_without_words(
    older: Person, harbour: Organisation
) -> None:
    factories.make_alias("ø@x.example", "older@x.example", harbour)
    Alias.objects.update(words=None)

    assert tasks.fill_word_columns() > 0
    assert found("lukasz walesa") == ["older@x.example"]
    assert Alias.objects.filter(Alias.found_by("O@x")).exists()
    assert tasks.fill_word_columns() == 0

    Person.objects.filter(pk=older.pk).update(words=None)
    assert tasks.fill_word_columns() == 1
    assert found("lukasz") == ["older@x.example"]


def test_the_job_writes_every_row_after_the_folding_changed(
    older: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        factories.make_person(f"p{number}@x.example", name="Siân")
    tasks.fill_word_columns()
    Person.objects.update(words=" sain")
    IndexPass.objects.update(version=F("version") - 1)
    monkeypatch.setattr(word_columns, "FILLED", 2)

    tasks.fill_word_columns()

    assert len(found("sian")) == 5
    assert found("lukasz") == ["older@x.example"]


def test_words_are_written_to_a_chain_that_stays_whole(harbour: Organisation) -> None:
    entry = record("organisation.added", harbour, by=None)
    Entry.objects.update(words=None)

    tasks.fill_word_columns()

    assert verify_chain() == Entry.objects.count()
    assert list(Entry.objects.filter(Entry.found_by("organisation.added"))) == [entry]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite reads the table")
def test_an_index_finds_the_words(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off"
        )
        rows = Person.objects.filter(Person.found_by("lukasz walesa"))
        plan = rows.order_by().explain()

    assert "person_folded" in plan and "person_no_words" in plan
    assert "Seq Scan" not in plan
