"""Keyset pagination: each page of a list is found by the row it begins after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

PER_PAGE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page, and the parameters of GOV.UK's pagination component."""

    rows: list[Row]
    links: dict[str, Any]


def paginate(
    request: HttpRequest, rows: QuerySet[Row], *, by: str = "", descending: bool = False
) -> Page[Row]:
    """Returns the page after or before the row whose id `?after=` or `?before=` holds.

    Rows are ordered by the field `by`, then by id; by id alone without it. If the row no
    longer exists, the first page is returned. Unlike OFFSET, a page deep in a list of
    millions costs as little as the first.
    """
    order = _Order(by, descending)
    after = _anchor(request, rows, "after")
    before = _anchor(request, rows, "before")
    if before is not None:
        found = list(
            order.backwards(rows).filter(order.beyond(before, back=True))[
                : PER_PAGE + 1
            ]
        )
        return _page(request, found[:PER_PAGE][::-1], len(found) > PER_PAGE, True)
    ordered = order.forwards(rows)
    if after is not None:
        ordered = ordered.filter(order.beyond(after))
    found = list(ordered[: PER_PAGE + 1])
    return _page(request, found[:PER_PAGE], after is not None, len(found) > PER_PAGE)


@dataclass(frozen=True, slots=True)
class _Order:
    by: str
    descending: bool

    def forwards(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Returns the rows in reading order."""
        return self._ordered(rows, self.descending)

    def backwards(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Returns the rows in reverse reading order."""
        return self._ordered(rows, not self.descending)

    def beyond(self, anchor: Model, *, back: bool = False) -> Q:
        """Matches the rows after the anchor, or before it when going back."""
        side = "lt" if self.descending != back else "gt"
        further = Q(**{f"pk__{side}": anchor.pk})
        if not self.by:
            return further
        value = getattr(anchor, self.by)
        return Q(**{f"{self.by}__{side}": value}) | Q(**{self.by: value}) & further

    def _ordered(self, rows: QuerySet[Row], descending: bool) -> QuerySet[Row]:
        fields = [self.by, "pk"] if self.by else ["pk"]
        return rows.order_by(
            *(f"-{field}" if descending else field for field in fields)
        )


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
