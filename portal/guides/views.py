"""Views beside the guides' pages: search, PDF, feedback, and editors' images."""

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

from engine.blobs.interface import BlobStoreError
from engine.registry.permissions.view_guards import public
from onboarding import rate_limits
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

# An hour. The members of an organisation may share one IP address.
MAX_ANSWERS_PER_PEER = 30


@public
@require_safe
def page(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serves the list of guides or one guide, through Wagtail."""
    shown: HttpResponseBase = serve_page(request, path)
    return shown


@public
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Searches the guides."""
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
def pdf_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Serves a guide as PDF."""
    guide = get_object_or_404(Guide.objects.live(), slug=slug)
    response = HttpResponse(pdf.pdf(guide), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{guide.slug}.pdf"'
    return response


@public
@require_POST
def useful(request: HttpRequest, pk: int) -> HttpResponse:
    """Stores whether a page was useful, and nothing about the reader."""
    about = get_object_or_404(Page.objects.live(), pk=pk, depth__gt=2)
    form = UsefulForm(request.POST)
    if not form.is_valid():
        return redirect(about.get_url(request))
    if not _may_answer(request.META["REMOTE_ADDR"]):
        return render(request, "429.html", status=429)
    given = Feedback.objects.create(
        page=about,
        revision=about.live_revision_id or 0,
        is_useful=form.cleaned_data["useful"] == "yes",
    )
    return redirect("guide_comment", token_of(given))


@public
def comment(request: HttpRequest, token: str) -> HttpResponse:
    """Thanks the reader, and takes an optional comment."""
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
    """Confirms that the comment was received."""
    return render(request, "guides/thanks.html")


@public
@require_safe
def picture(request: HttpRequest, name: str) -> FileResponse:
    """Serves a rendition of an editor's image. Originals are never served."""
    try:
        file: Any = default_storage.open(f"images/{name}")
    except BlobStoreError:
        raise  # the page that says to try again
    except (OSError, ValueError, SuspiciousOperation) as error:
        raise Http404 from error
    response = FileResponse(file)
    response["Cache-Control"] = "public, max-age=604800"
    return response


def _may_answer(peer: str) -> bool:
    """Counts an answer of an IP address, which is forgotten after an hour."""
    try:
        rate_limits.count("guide-answers", peer, MAX_ANSWERS_PER_PEER)
    except rate_limits.RateLimitError:
        return False
    return True
