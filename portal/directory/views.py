"""The search page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry import directory
from engine.registry.access import requires
from engine.registry.directory import EntryKind
from engine.registry.permissions import Permission
from portal.directory.cards import cards
from portal.directory.forms import SearchForm


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The box, and below it what was found. A broken filter is ignored."""
    form = SearchForm(request.GET)
    asked = form.asked()
    context: dict[str, object] = {"form": form, "asked": asked}
    if asked:
        context |= _found(request, asked)
    return render(request, "directory/search.html", context)


def _found(request: HttpRequest, asked: dict[str, str]) -> dict[str, object]:
    viewer = request.user
    organisation = int(asked["organisation"]) if "organisation" in asked else None
    page = directory.search(
        asked.get("q", ""),
        viewer=viewer,
        kinds=[EntryKind(asked["show"])] if "show" in asked else [],
        organisation=organisation,
        town=asked.get("town", ""),
        kind=asked.get("kind", ""),
        after=request.GET.get("after"),
    )
    place = organisation and directory.find(
        EntryKind.ORGANISATION, organisation, viewer=viewer
    )
    return {
        "page": page,
        "cards": cards(page.entries, viewer),
        "is_first": not request.GET.get("after"),
        "place": place,
        "counted": directory.COUNTED,
        "next": page.next and _link({**asked, "after": page.next}),
        "first": _link(asked),
        "everywhere": _link({k: v for k, v in asked.items() if k != "organisation"}),
    }


def _link(asked: dict[str, str]) -> str:
    return f"{reverse('directory:search')}?{urlencode(asked)}"
