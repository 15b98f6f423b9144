"""Queries to the directory: search, suggestions while typing, and one entry."""

from __future__ import annotations

from collections.abc import Collection

from engine.registry.directory.full_text import Query, matching_ids
from engine.registry.directory.results import Entry, Page, entry_of
from engine.registry.directory.tokeniser import facet, query_tokens
from engine.registry.directory.visibility import Viewer, Visibility, visibility_of
from engine.registry.models import DirectoryEntry, EntryKind

COUNTED = 200  # above this a search says "more than"
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
    """Returns a page of the entries that match and that the viewer may see.

    Each word of `text` is a prefix of a word of the name, job title, address or
    organisation. `kinds` are kinds of entry, `kind` is a kind of organisation, and `town`
    is a prefix of a town's name. `after` is the `next` of the page before. Without any
    criterion every visible entry matches.
    """
    visibility = visibility_of(viewer)
    if not visibility.may_search:
        return NOTHING
    query = _query(text, kinds, organisation, town, kind)
    # Text without any letter or digit asks for something, so it must not match all.
    if text.strip() and not query_tokens(text):
        return NOTHING
    return _page(query, visibility, _parse_cursor(after), limit)


def suggest(text: str, *, viewer: Viewer, limit: int = 8) -> list[Entry]:
    """Returns entries with an address that match what is typed, colleagues first."""
    visibility = visibility_of(viewer)
    if not visibility.may_search or not query_tokens(text):
        return []
    own = getattr(viewer, "organisation_id", None)
    ids = (
        _ids(_query(text, WITH_ADDRESS, own, "", ""), visibility, 0, limit)
        if own
        else []
    )
    if len(ids) < limit:
        everywhere = _query(text, WITH_ADDRESS, None, "", "")
        ids += [pk for pk in _ids(everywhere, visibility, 0, limit) if pk not in ids]
    return _entries(ids[:limit])


def find(kind: EntryKind, row_id: int, *, viewer: Viewer) -> Entry | None:
    """Returns the entry of one row; None if it is not listed or the viewer may not see it."""
    visibility = visibility_of(viewer)
    if not visibility.may_search:
        return None
    rows = DirectoryEntry.objects.filter(visibility.condition, kind=kind, row_id=row_id)
    row = rows.select_related("organisation").first()
    return entry_of(row) if row else None


def _query(
    text: str,
    kinds: Collection[EntryKind],
    organisation: int | None,
    town: str,
    kind: str,
) -> Query:
    groups = [
        [facet("k", one) for one in kinds],
        [facet("o", organisation)] if organisation is not None else [],
        [facet("c", kind)] if kind else [],
    ]
    in_town = ((facet("t", town),),) if town.strip() else ()
    prefixes = (*query_tokens(text), *in_town)
    return Query(prefixes, [group for group in groups if group])


def _page(query: Query, visibility: Visibility, after: int, limit: int) -> Page:
    # One statement: on the first page it fetches enough ids to count them too.
    reach = limit if after else max(limit, COUNTED)
    ids = _ids(query, visibility, after, reach + 1)
    shown = ids[:limit]
    is_more = len(ids) > limit
    is_counted = not after and len(ids) <= COUNTED
    return Page(
        entries=_entries(shown),
        next=str(shown[-1]) if is_more else None,
        total=len(ids) if is_counted else None,
    )


def _ids(query: Query, visibility: Visibility, after: int, limit: int) -> list[int]:
    if query:
        return matching_ids(query, visibility=visibility, after=after, limit=limit)
    rows = DirectoryEntry.objects.filter(visibility.condition, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def _entries(ids: list[int]) -> list[Entry]:
    rows = DirectoryEntry.objects.select_related("organisation").in_bulk(ids)
    return [entry_of(rows[pk]) for pk in ids]


def _parse_cursor(after: str | None) -> int:
    """Returns the cursor as an id; 0, for the first page, if it is not a valid one."""
    text = after or ""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST))):
        return 0
    return min(int(text), HIGHEST)
