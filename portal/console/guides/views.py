"""Which guides are due for review, and what readers say of them."""

from __future__ import annotations

from itertools import chain

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console import page
from portal.console.access import staff
from portal.guides.models import Feedback, Guide, GuideIndex, VideoGuide

ICON = "doc-full"
ABOVE = (("guide_desk:reviews", "Guides"),)


@staff(Permission.EDIT_GUIDES)
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """Every guide, those first whose review is due."""
    pages = chain(Guide.objects.all(), VideoGuide.objects.all())
    context = {
        "guides": sorted(pages, key=lambda guide: (guide.review_due_on, guide.title)),
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
