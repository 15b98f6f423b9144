from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.registry.permissions import Permission
from portal.console import global_search
from portal.console.access import staff
from portal.console.sheet import Section, Sheet, draw
from portal.ui.filters import FilterForm

HINT = (
    "Look for an organisation, a person, an address, a domain, our reference of a "
    "message, a ticket's number or an application's reference."
)
NOTHING = "Nothing that you may see fits. Try a part of the name or of the address."


class SearchForm(FilterForm):
    q = forms.CharField(
        label="Search everything",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@staff(Permission.USE_CONSOLE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Whatever is called so, in whatever the visitor's roles may see."""
    form = SearchForm(request)
    found = global_search.sections(request.user, form.criteria["q"])
    sections = found or [Section(text=NOTHING if form.is_search else HINT)]
    return draw(request, Sheet("Search", "search", sections, filters=form))
