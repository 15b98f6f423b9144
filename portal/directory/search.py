"""The search page."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from engine.registry import directory
from engine.registry.directory import EntryKind
from engine.registry.models import Kind
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires
from portal.directory.result_card import cards

ANYTHING = ("", _("Anything"))


class SearchForm(forms.Form):
    """The search terms and filters. All are optional, and invalid ones are ignored."""

    q = forms.CharField(required=False, max_length=200)
    show = forms.ChoiceField(required=False, choices=[ANYTHING, *EntryKind.choices])
    kind = forms.ChoiceField(required=False, choices=[ANYTHING, *Kind.choices])
    town = forms.CharField(required=False, max_length=100)
    organisation = forms.IntegerField(required=False, min_value=1, max_value=2**31)

    def asked(self) -> dict[str, str]:
        """Returns the valid, non-empty values as query parameters."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}


@requires(Permission.SEARCH_DIRECTORY)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Shows the search form and its results."""
    form = SearchForm(request.GET)
    asked = form.asked()
    context: dict[str, object] = {"form": form, "asked": asked}
    if asked:
        context |= _results(request, asked)
    return render(request, "directory/search.html", context)


def _results(request: HttpRequest, asked: dict[str, str]) -> dict[str, object]:
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
