"""The question to the database's own word index: FTS5, or a GIN index of words.

Both answer with ids in ascending order, which is the order of the alphabet, and stop
once enough were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from engine.registry.directory.sight import Sight
from engine.registry.directory.words import facet
from engine.registry.models import EntryKind

SQLITE = """
    SELECT e.id FROM registry_directory_words
    CROSS JOIN registry_directoryentry e ON e.id = registry_directory_words.rowid
    WHERE registry_directory_words MATCH %s AND registry_directory_words.rowid > %s
    AND (e.is_published OR e.organisation_id IN ({places}))
    ORDER BY registry_directory_words.rowid LIMIT %s
"""
POSTGRESQL = """
    SELECT e.id FROM registry_directoryentry e
    WHERE array_to_tsvector(string_to_array(e.words, ' ')) @@ %s::tsquery AND e.id > %s
    AND (e.is_published OR e.organisation_id IN ({places})) {conditions}
"""
# Names that are alike stand together, so a walk in the order of ids may pass half the
# directory before it meets the first: only what is everywhere is looked for that way.
# OFFSET 0 has the rest gathered before it is sorted, by one process: starting others
# takes longer than they save.
WALK = f"{POSTGRESQL} ORDER BY e.id LIMIT %s"
SORT = f"SELECT id FROM ({POSTGRESQL} OFFSET 0) found ORDER BY id LIMIT %s"  # noqa: S608
BEGINS = " AND ' ' || e.words LIKE %s"
PEOPLE = facet("k", EntryKind.PERSON)  # nearly everything
ORGANISATION = facet("o", "")
BROAD = 2  # letters, at most, of a beginning that much of the directory has


@dataclass(frozen=True, slots=True)
class Question:
    """What an entry must have: words that begin so, and one facet of each group."""

    beginnings: Sequence[str] = ()
    facets: Sequence[Sequence[str]] = ()

    def __bool__(self) -> bool:
        return bool(self.beginnings or self.facets)

    @property
    def is_of_organisation(self) -> bool:
        """True where the facets leave one organisation, and so few entries."""
        return any(one.startswith(ORGANISATION) for one, *_ in self.facets)

    @property
    def is_broad(self) -> bool:
        """True where much of the directory matches, as for `s` or `j s`."""
        has_people = all(PEOPLE in group for group in self.facets)
        return has_people and all(len(word) <= BROAD for word in self.beginnings)

    def for_sqlite(self) -> str:
        words = [f'"{word}" *' for word in self.beginnings]
        groups = [
            "(" + " OR ".join(f'"{one}"' for one in group) + ")"
            for group in self.facets
        ]
        return " AND ".join(words + groups)

    def for_postgresql(self) -> str:
        """Without the beginnings where the rows of an organisation are looked through.

        A beginning stands for thousands of words of the index, and all of them would be
        gathered from everywhere first.
        """
        beginnings = () if self.is_of_organisation else self.beginnings
        words = [f"'{word}':*" for word in beginnings]
        groups = [
            "(" + " | ".join(f"'{one}'" for one in group) + ")" for group in self.facets
        ]
        return " & ".join(words + groups)


def matching(question: Question, *, sight: Sight, after: int, limit: int) -> list[int]:
    """The ids of the first entries beyond `after` that match and may be seen."""
    organisations = sight.administered or (0,)
    places = ", ".join(["%s"] * len(organisations))
    ask = _on_sqlite if connection.vendor == "sqlite" else _on_postgresql
    statement, asked, rest = ask(question, places)
    with connection.cursor() as cursor:
        cursor.execute(statement, [asked, after, *organisations, *rest, limit])
        return [row[0] for row in cursor.fetchall()]


def _on_sqlite(question: Question, places: str) -> tuple[str, str, list[str]]:
    return SQLITE.format(places=places), question.for_sqlite(), []


def _on_postgresql(question: Question, places: str) -> tuple[str, str, list[str]]:
    looked_for = question.beginnings if question.is_of_organisation else ()
    statement = (WALK if question.is_broad else SORT).format(
        places=places, conditions=BEGINS * len(looked_for)
    )
    begins = [f"% {word}%" for word in looked_for]
    return statement, question.for_postgresql(), begins
