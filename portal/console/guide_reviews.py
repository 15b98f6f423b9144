"""Which guides are due for review, and what readers say of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff
from portal.console.guides import shelves
from portal.guides.models import Feedback, GuideIndex

ICON = "doc-full"
ABOVE = (("guide_desk:reviews", "Guides"),)


@staff(Permission.EDIT_GUIDES)
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """Every guide, or those that wait, those first whose review is due."""
    show = request.GET.get("show", "")
    context = {
        "guides": shelves.guides(show),
        "shown": shelves.WORDS.get(show, ""),
        "index": GuideIndex.objects.first(),
    }
    return page.show(request, "guides/reviews", "Guides", ICON, context)


@staff(Permission.EDIT_GUIDES)
@require_safe
def feedback(request: HttpRequest) -> HttpResponse:
    """How each version of each page was found, and the newest comments."""
    comments = Feedback.objects.exclude(comment="").select_related("page")
    context = {"pages": Feedback.objects.by_page(), **page.paged(request, comments)}
    return page.show(request, "guides/feedback", "Feedback", ICON, context, above=ABOVE)
