"""Keyset pagination: each page of a list is found by the row it begins after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.http import HttpRequest

PER_PAGE = 50
# Rows in which matches of a search are looked for in the order of the list, before all
# matches are collected and sorted. What matches a search by name is not spread evenly over
# the names, as PostgreSQL assumes: it read 400,000 people to find the first page.
NEAR = 5000
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page, and the parameters of GOV.UK's pagination component."""

    rows: list[Row]
    links: dict[str, Any]


def paginate(
    request: HttpRequest,
    rows: QuerySet[Row],
    *,
    by: str = "",
    descending: bool = False,
    searched: QuerySet[Row] | None = None,
) -> Page[Row]:
    """Returns the page after or before the row whose id `?after=` or `?before=` holds.

    Rows are ordered by the field `by`, then by id; by id alone without it. If the row no
    longer exists, the first page is returned. Unlike OFFSET, a page deep in a list of
    millions costs as little as the first. `searched` are the rows before a search for text
    narrowed them; with it `by` must be given.
    """
    order = _Order(by, descending)
    after = _anchor(request, rows, "after")
    before = _anchor(request, rows, "before")
    if before is not None:
        found = _read(order.back(), rows, before, searched)
        return _page(request, found[:PER_PAGE][::-1], len(found) > PER_PAGE, True)
    found = _read(order, rows, after, searched)
    return _page(request, found[:PER_PAGE], after is not None, len(found) > PER_PAGE)


@dataclass(frozen=True, slots=True)
class _Order:
    by: str
    descending: bool

    def back(self) -> _Order:
        """Returns the reverse order."""
        return _Order(self.by, not self.descending)

    def of(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Returns the rows in this order."""
        fields = [self.by, "pk"] if self.by else ["pk"]
        return rows.order_by(
            *(f"-{field}" if self.descending else field for field in fields)
        )

    def beyond(self, anchor: Model) -> Q:
        """Matches the rows after the anchor."""
        side = "lt" if self.descending else "gt"
        further = Q(**{f"pk__{side}": anchor.pk})
        if not self.by:
            return further
        value = getattr(anchor, self.by)
        beyond = Q(**{f"{self.by}__{side}": value}) | Q(**{self.by: value}) & further
        # Says nothing new, but an index is entered by it: by an alternative it is not.
        return Q(**{f"{self.by}__{side}e": value}) & beyond

    def up_to(self, value: Any) -> Q:
        """Matches the rows up to those with the value."""
        return Q(**{f"{self.by}__{'gte' if self.descending else 'lte'}": value})

    def unindexed(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Returns the rows in this order, which no index has."""
        same = Concat(self.by, Value(""))
        key = "-pk" if self.descending else "pk"
        return rows.order_by(same.desc() if self.descending else same.asc(), key)


def _read(
    order: _Order,
    rows: QuerySet[Row],
    anchor: Row | None,
    searched: QuerySet[Row] | None,
) -> list[Row]:
    """Reads the rows of a page after the anchor, and one more if there is one."""
    if anchor is not None:
        rows = rows.filter(order.beyond(anchor))
    if searched is not None:
        if anchor is not None:
            searched = searched.filter(order.beyond(anchor))
        near = order.of(searched).values_list(order.by, flat=True)
        edge = near[NEAR : NEAR + 1].first()
        if edge is not None:
            found = list(order.of(rows.filter(order.up_to(edge)))[: PER_PAGE + 1])
            if len(found) > PER_PAGE:
                return found
            # Too few near by: those who are called Jane are far from those called Ann.
            return list(order.unindexed(rows)[: PER_PAGE + 1])
    return list(order.of(rows)[: PER_PAGE + 1])


def count_of(rows: QuerySet[Any], parent: str) -> Coalesce:
    """Returns an expression that counts the rows that belong to each row of a page.

    `parent` is their foreign key. A join with GROUP BY would count for the rows of every
    page before the first can be shown.
    """
    own = rows.filter(**{parent: OuterRef("pk")}).order_by().values(parent)
    return Coalesce(Subquery(own.annotate(number=Count("pk")).values("number")), 0)


def _anchor(request: HttpRequest, rows: QuerySet[Row], name: str) -> Row | None:
    text = request.GET.get(name, "")
    # Eighteen digits fit the 64-bit integer of both databases.
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return rows.filter(pk=int(text)).first()


def _page(
    request: HttpRequest, rows: list[Row], has_previous: bool, has_next: bool
) -> Page[Row]:
    links: dict[str, Any] = {}
    if rows and has_previous:
        links["previous"] = {"href": _href(request, before=rows[0].pk)}
    if rows and has_next:
        links["next"] = {"href": _href(request, after=rows[-1].pk)}
    return Page(rows, links)


def _href(request: HttpRequest, **position: Any) -> str:
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in position.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"
