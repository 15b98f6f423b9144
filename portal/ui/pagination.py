"""Long lists in pages, each found by the row that it begins after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

PER_PAGE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and GOV.UK's links to the pages around them."""

    rows: list[Row]
    links: dict[str, Any]


def paged(
    request: HttpRequest, rows: QuerySet[Row], *, by: str = "", descending: bool = False
) -> Page[Row]:
    """The page that `?after=` or `?before=` names, in the order of a field and the id.

    `by` is the field; without it the id alone orders. A row that is gone leads to the
    first page.
    """
    order = _Order(by, descending)
    after = _anchor(request, rows, "after")
    before = _anchor(request, rows, "before")
    if before is not None:
        found = list(
            order.turned(rows).filter(order.beyond(before, back=True))[: PER_PAGE + 1]
        )
        return _page(request, found[:PER_PAGE][::-1], len(found) > PER_PAGE, True)
    ordered = order.straight(rows)
    if after is not None:
        ordered = ordered.filter(order.beyond(after))
    found = list(ordered[: PER_PAGE + 1])
    return _page(request, found[:PER_PAGE], after is not None, len(found) > PER_PAGE)


@dataclass(frozen=True, slots=True)
class _Order:
    by: str
    descending: bool

    def straight(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return self._ordered(rows, self.descending)

    def turned(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return self._ordered(rows, not self.descending)

    def beyond(self, anchor: Model, *, back: bool = False) -> Q:
        """What comes after the row, or before it when going back."""
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


def _anchor(request: HttpRequest, rows: QuerySet[Row], name: str) -> Row | None:
    text = request.GET.get(name, "")
    # Eighteen digits fit every database's integer.
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
