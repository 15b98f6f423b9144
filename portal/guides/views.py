"""Guides beside their pages: search, paper, feedback, and editors' pictures."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe
from wagtail.models import Page
from wagtail.views import serve as serve_page

from engine.registry.access import public
from portal.guides import limits
from portal.guides.forms import (
    CommentForm,
    SearchForm,
    UsefulForm,
    feedback_of,
    token_of,
)
from portal.guides.models import Feedback, Guide
from portal.guides.rendering import pdf
from portal.guides.rendering.guide_page import query_of
from portal.guides.search.find import Found
from portal.guides.search.find import search as find


@public
@require_safe
def page(request: HttpRequest, path: str) -> HttpResponseBase:
    """The list of guides, or one of them."""
    shown: HttpResponseBase = serve_page(request, path)
    return shown


@public
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET or None)
    words = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = find(words) if words else Found()
    context = {
        "form": form,
        "words": words,
        "found": found.pages,
        "read_as": found.read_as,
        "account_query": query_of(request),
    }
    return render(request, "guides/search.html", context)


@public
@require_safe
def paper(request: HttpRequest, slug: str) -> HttpResponse:
    guide = get_object_or_404(Guide.objects.live(), slug=slug)
    response = HttpResponse(pdf.pdf(guide), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{guide.slug}.pdf"'
    return response


@public
@require_POST
def useful(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a yes or no. Of who gave it, nothing is kept."""
    about = get_object_or_404(Page.objects.live(), pk=pk, depth__gt=2)
    form = UsefulForm(request.POST)
    if not form.is_valid():
        return redirect(about.get_url(request))
    if not limits.may_answer(request.META["REMOTE_ADDR"]):
        return render(request, "429.html", status=429)
    given = Feedback.objects.create(
        page=about,
        revision=about.live_revision_id or 0,
        is_useful=form.cleaned_data["useful"] == "yes",
    )
    return redirect("guide_comment", token_of(given))


@public
def comment(request: HttpRequest, token: str) -> HttpResponse:
    """Thank them, and take a few words more if they want to give any."""
    given = feedback_of(token)
    if given is None:
        raise Http404
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        Feedback.objects.filter(pk=given.pk).update(**form.cleaned_data)
        return redirect("guide_thanks")
    return render(request, "guides/comment.html", {"given": given, "form": form})


@public
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "guides/thanks.html")


@public
@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """A picture that an editor put on a page, as it was remade for the page."""
    try:
        file: Any = default_storage.open(f"images/{name}")
    except (OSError, ValueError, SuspiciousOperation) as error:
        raise Http404 from error
    response = FileResponse(file)
    response["Cache-Control"] = "public, max-age=604800"
    return response
