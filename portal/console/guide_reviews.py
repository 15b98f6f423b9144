"""The guide editors' pages: reviews that are due, and readers' feedback."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.page import numbered_page, render_template
from portal.guides.models import Feedback, Guide, GuideIndex, VideoGuide

ICON = "doc-full"
ABOVE = (("guide_desk:reviews", "Guides"),)


DUE, DRAFTS = "due", "drafts"
CAPTIONS = {
    DUE: "Guides due for review.",
    DRAFTS: "Guides with unpublished changes.",
}


@staff(Permission.EDIT_GUIDES)
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """All guides, or those that need work, ordered by review date."""
    show = request.GET.get("show", "")
    context = {
        "guides": guides(show),
        "shown": CAPTIONS.get(show, ""),
        "index": GuideIndex.objects.first(),
    }
    return render_template(request, "guides/reviews", "Guides", ICON, context)


@staff(Permission.EDIT_GUIDES)
@require_safe
def feedback(request: HttpRequest) -> HttpResponse:
    """How useful readers found each version of each page, and their comments."""
    comments = Feedback.objects.exclude(comment="").select_related("page")
    context = {"pages": Feedback.objects.by_page(), **numbered_page(request, comments)}
    return render_template(
        request, "guides/feedback", "Feedback", ICON, context, above=ABOVE
    )


def guides(show: str = "") -> list[Guide | VideoGuide]:
    """Returns all guides, or those due for review or with drafts, by review date."""
    found = [guide for rows in _rows(show) for guide in rows]
    return sorted(found, key=lambda guide: (guide.review_due_on, guide.title))


def count(show: str) -> Callable[[], int]:
    """Returns a function that counts the guides shown under `show`."""
    return lambda: sum(rows.count() for rows in _rows(show))


def _rows(show: str) -> Iterator[QuerySet[Guide] | QuerySet[VideoGuide]]:
    conditions = {
        DUE: Q(review_due_on__lte=timezone.localdate()),
        DRAFTS: Q(live=False) | Q(has_unpublished_changes=True),
    }
    condition = conditions.get(show, Q())
    yield Guide.objects.filter(condition)
    yield VideoGuide.objects.filter(condition)


app_name = "guide_desk"
urlpatterns = [
    path("", reviews, name="reviews"),
    path("feedback/", feedback, name="feedback"),
]
