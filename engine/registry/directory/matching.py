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
# Names that are alike stand together, so a walk in the order of ids may pass half the
# directory before it meets the first: only what is everywhere is looked for that way.
POSTGRESQL_BROAD = """
    SELECT e.id FROM registry_directoryentry e
    WHERE array_to_tsvector(string_to_array(e.words, ' ')) @@ %s::tsquery AND e.id > %s
    AND (e.is_published OR e.organisation_id IN ({places}))
    ORDER BY e.id LIMIT %s
"""
POSTGRESQL_NARROW = """
    WITH found AS MATERIALIZED (
        SELECT e.id FROM registry_directoryentry e
        WHERE array_to_tsvector(string_to_array(e.words, ' ')) @@ %s::tsquery
        AND e.id > %s AND (e.is_published OR e.organisation_id IN ({places}))
    )
    SELECT id FROM found ORDER BY id LIMIT %s
"""
PEOPLE = facet("k", EntryKind.PERSON)  # nearly everything
BROAD = 2  # letters, at most, of a beginning that much of the directory has


@dataclass(frozen=True, slots=True)
class Question:
    """What an entry must have: words that begin so, and one facet of each group."""

    beginnings: Sequence[str] = ()
    facets: Sequence[Sequence[str]] = ()

    def __bool__(self) -> bool:
        return bool(self.beginnings or self.facets)

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
        words = [f"'{word}':*" for word in self.beginnings]
        groups = [
            "(" + " | ".join(f"'{one}'" for one in group) + ")" for group in self.facets
        ]
        return " & ".join(words + groups)


def matching(question: Question, *, sight: Sight, after: int, limit: int) -> list[int]:
    """The ids of the first entries beyond `after` that match and may be seen."""
    statement, asked = _statement(question)
    organisations = sight.administered or (0,)
    places = ", ".join(["%s"] * len(organisations))
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(places=places), [asked, after, *organisations, limit]
        )
        return [row[0] for row in cursor.fetchall()]


def _statement(question: Question) -> tuple[str, str]:
    """The statement for this database, and the question as it reads it."""
    if connection.vendor == "sqlite":
        return SQLITE, question.for_sqlite()
    narrow_or_broad = POSTGRESQL_BROAD if question.is_broad else POSTGRESQL_NARROW
    return narrow_or_broad, question.for_postgresql()
