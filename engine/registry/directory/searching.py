"""Searching the directory: for a screen, a suggestion while typing, or one entry."""

from __future__ import annotations

from collections.abc import Collection

from engine.registry.directory.entry import Entry, Page, entry_of
from engine.registry.directory.matching import Question, matching
from engine.registry.directory.sight import Sight, Viewer, sight_of
from engine.registry.directory.words import asked_words, facet
from engine.registry.models import DirectoryEntry, EntryKind

COUNTED = 200  # beyond this a search says "more than"
WITH_ADDRESS = (EntryKind.PERSON, EntryKind.LIST, EntryKind.GROUP_MAILBOX)
HIGHEST = 2**63 - 1  # id
NOTHING = Page(entries=(), next=None, total=0)


def search(
    text: str,
    *,
    viewer: Viewer,
    kinds: Collection[EntryKind] = (),
    organisation: int | None = None,
    town: str = "",
    kind: str = "",
    after: str | None = None,
    limit: int = 25,
) -> Page:
    """What the viewer may see, in the order of the alphabet, `limit` at a time.

    Each word of the text begins a word of the name, job title, address or
    organisation. `kinds` are kinds of entry, `kind` one of organisation, and `town`
    begins the name of one. Without anything asked: everything.
    """
    sight = sight_of(viewer)
    if not sight.may_search:
        return NOTHING
    question = _question(text, kinds, organisation, town, kind)
    if text.strip() and not asked_words(text):
        return NOTHING
    return _page(question, sight, _number(after), limit)


def suggest(text: str, *, viewer: Viewer, limit: int = 8) -> list[Entry]:
    """Whom somebody who types this may mean to write to: colleagues first."""
    sight = sight_of(viewer)
    if not sight.may_search or not asked_words(text):
        return []
    own = getattr(viewer, "organisation_id", None)
    ids = (
        _ids(_question(text, WITH_ADDRESS, own, "", ""), sight, 0, limit) if own else []
    )
    if len(ids) < limit:
        everywhere = _question(text, WITH_ADDRESS, None, "", "")
        ids += [pk for pk in _ids(everywhere, sight, 0, limit) if pk not in ids]
    return _entries(ids[:limit])


def find(kind: EntryKind, row_id: int, *, viewer: Viewer) -> Entry | None:
    """The entry of one row, where it is listed and the viewer may see it."""
    sight = sight_of(viewer)
    if not sight.may_search:
        return None
    rows = DirectoryEntry.objects.filter(sight.condition, kind=kind, row_id=row_id)
    row = rows.select_related("organisation").first()
    return entry_of(row) if row else None


def _question(
    text: str,
    kinds: Collection[EntryKind],
    organisation: int | None,
    town: str,
    kind: str,
) -> Question:
    groups = [
        [facet("k", one) for one in kinds],
        [facet("o", organisation)] if organisation is not None else [],
        [facet("c", kind)] if kind else [],
    ]
    in_town = (facet("t", town),) if town.strip() else ()
    beginnings = (*asked_words(text), *in_town)
    return Question(beginnings, [group for group in groups if group])


def _page(question: Question, sight: Sight, after: int, limit: int) -> Page:
    """One question to the database; on the first page far enough to count too."""
    reach = limit if after else max(limit, COUNTED)
    ids = _ids(question, sight, after, reach + 1)
    shown = ids[:limit]
    is_more = len(ids) > limit
    is_counted = not after and len(ids) <= COUNTED
    return Page(
        entries=_entries(shown),
        next=str(shown[-1]) if is_more else None,
        total=len(ids) if is_counted else None,
    )


def _ids(question: Question, sight: Sight, after: int, limit: int) -> list[int]:
    if question:
        return matching(question, sight=sight, after=after, limit=limit)
    rows = DirectoryEntry.objects.filter(sight.condition, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def _entries(ids: list[int]) -> list[Entry]:
    rows = DirectoryEntry.objects.select_related("organisation").in_bulk(ids)
    return [entry_of(rows[pk]) for pk in ids]


def _number(after: str | None) -> int:
    """The cursor as a number; whatever was never a cursor begins at the beginning."""
    text = after or ""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST))):
        return 0
    return min(int(text), HIGHEST)
