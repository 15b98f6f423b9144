"""Full-text queries to the database's word index: FTS5 on SQLite, GIN on PostgreSQL.

Both return ids in ascending order, which is alphabetical, and stop when enough are
found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from engine.folding.words import AnyOf
from engine.registry.directory.tokeniser import facet
from engine.registry.directory.visibility import Visibility
from engine.registry.models import EntryKind

SQLITE = """
    SELECT e.id FROM registry_directory_words
    CROSS JOIN registry_directoryentry e ON e.id = registry_directory_words.rowid
    WHERE registry_directory_words MATCH %s AND registry_directory_words.rowid > %s
    AND (e.is_published OR e.organisation_id IN ({places}))
    ORDER BY registry_directory_words.rowid LIMIT %s
"""
POSTGRESQL = """
    SELECT e.id FROM {entries} e
    WHERE array_to_tsvector(string_to_array(e.words, ' ')) @@ %s::tsquery AND e.id > %s
    AND (e.is_published OR e.organisation_id IN ({places})) {conditions}
"""
# Similar names are neighbours, so a walk in the order of ids may pass half the directory
# before it meets the first match. Only what matches much of the directory is looked for
# that way, and no further than WALKED entries. The rest is collected and then sorted:
# OFFSET 0 keeps the planner from flattening the subquery into such a walk. One process
# does it, because starting parallel workers takes longer than they save.
WALK = f"{POSTGRESQL} ORDER BY e.id LIMIT %s"
SORT = f"SELECT id FROM ({POSTGRESQL} OFFSET 0) found ORDER BY id LIMIT %s"  # noqa: S608
WALKED = 20_000
NEXT_ENTRIES = f"""(
    SELECT * FROM registry_directoryentry WHERE id > %s ORDER BY id LIMIT {WALKED}
)"""  # noqa: S608
PREFIX_CONDITION = "' ' || e.words LIKE %s"
PEOPLE = facet("k", EntryKind.PERSON)  # nearly every entry
KIND, ORGANISATION, TOWN = facet("k", ""), facet("o", ""), facet("t", "")
BROAD = 2  # letters: a prefix no longer than this may match much of the directory


@dataclass(frozen=True, slots=True)
class Query:
    """What an entry must have: a token with a prefix of each group, and a facet of each."""

    prefixes: Sequence[AnyOf] = ()
    facets: Sequence[Sequence[str]] = ()

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.facets)

    @property
    def is_within_organisation(self) -> bool:
        """True if a facet restricts the query to one organisation's few entries."""
        return any(one.startswith(ORGANISATION) for one, *_ in self.facets)

    @property
    def is_broad(self) -> bool:
        """True if it may match much of the directory, as `s`, `j s` or a town does."""
        if self.is_within_organisation:
            return False
        kinds = [group for group in self.facets if group[0].startswith(KIND)]
        return all(PEOPLE in group for group in kinds) and all(
            any(len(word) <= BROAD or word.startswith(TOWN) for word in group)
            for group in self.prefixes
        )

    def for_sqlite(self) -> str:
        """Returns the query in the syntax of FTS5."""
        words = [
            "(" + " OR ".join(f'"{word}" *' for word in group) + ")"
            for group in self.prefixes
        ]
        groups = [
            "(" + " OR ".join(f'"{one}"' for one in group) + ")"
            for group in self.facets
        ]
        return " AND ".join(words + groups)

    def for_postgresql(self) -> str:
        """Returns the query in the syntax of tsquery.

        Without the prefixes if it is within one organisation: a prefix stands for
        thousands of words of the index, and PostgreSQL would collect the entries of all
        of them before it looks at the organisation's. LIKE checks its few rows instead.
        """
        prefixes = () if self.is_within_organisation else self.prefixes
        words = [
            "(" + " | ".join(f"'{word}':*" for word in group) + ")"
            for group in prefixes
        ]
        groups = [
            "(" + " | ".join(f"'{one}'" for one in group) + ")" for group in self.facets
        ]
        return " & ".join(words + groups)


def matching_ids(
    query: Query, *, visibility: Visibility, after: int, limit: int
) -> list[int]:
    """Returns the first ids above `after` of visible entries that match, ascending."""
    visible = visibility.administered or (0,)
    places = ", ".join(["%s"] * len(visible))
    if connection.vendor == "sqlite":
        statement = SQLITE.format(places=places)
        return _ids(statement, query.for_sqlite(), after, *visible, limit)
    prefixes = query.prefixes if query.is_within_organisation else ()
    conditions = "".join(
        f" AND ({' OR '.join([PREFIX_CONDITION] * len(group))})" for group in prefixes
    )
    patterns = [f"% {word}%" for group in prefixes for word in group]
    values: list[str | int] = [
        query.for_postgresql(),
        after,
        *visible,
        *patterns,
        limit,
    ]
    if query.is_broad:
        walk = WALK.format(entries=NEXT_ENTRIES, places=places, conditions=conditions)
        found = _ids(walk, after, *values)
        if len(found) == limit:
            return found
    sort = SORT.format(
        entries="registry_directoryentry", places=places, conditions=conditions
    )
    return _ids(sort, *values)


def _ids(statement: str, *values: str | int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return [row[0] for row in cursor.fetchall()]
