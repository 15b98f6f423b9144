"""Following an application, by a signed link."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from engine.registry.access import public
from onboarding import links
from onboarding.progress import stages


@public
@never_cache
@require_GET
def tracker(request: HttpRequest, token: str) -> HttpResponse:
    try:
        application = links.tracked_application(token)
    except links.ForgedLinkError as forged:
        raise Http404 from forged
    context = {"application": application, "stages": stages(application)}
    return render(request, "onboarding/tracker.html", context)
