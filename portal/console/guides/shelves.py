"""The guides that an editor has to do with, all of them or those that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.guides.models import Guide, VideoGuide

DUE, DRAFTS = "due", "drafts"
WORDS = {
    DUE: "Guides whose review is due.",
    DRAFTS: "Guides with something that is not published.",
}


def guides(show: str = "") -> list[Guide | VideoGuide]:
    """Those first whose review is due."""
    found = [guide for rows in _rows(show) for guide in rows]
    return sorted(found, key=lambda guide: (guide.review_due_on, guide.title))


def count(show: str) -> Callable[[], int]:
    return lambda: sum(rows.count() for rows in _rows(show))


def _rows(show: str) -> Iterator[QuerySet[Guide] | QuerySet[VideoGuide]]:
    conditions = {
        DUE: Q(review_due_on__lte=timezone.localdate()),
        DRAFTS: Q(live=False) | Q(has_unpublished_changes=True),
    }
    condition = conditions.get(show, Q())
    yield Guide.objects.filter(condition)
    yield VideoGuide.objects.filter(condition)
