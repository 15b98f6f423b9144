"""What a list is searched by: shown as it was typed, and never refused."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

LENGTH = 254
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class FilterForm(forms.Form):
    """Fields of a search. `typed` holds what was typed, cleaned of what cannot be sought."""

    def __init__(self, request: HttpRequest) -> None:
        given = {
            name: request.GET.get(name, "").replace("\0", "").strip()[:LENGTH]
            for name in self.base_fields
        }
        super().__init__(initial=given, auto_id="%s")
        self.typed = given

    @property
    def is_search(self) -> bool:
        return any(self.typed.values())


def _text(label: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs=dict(PLAIN)))


class PeopleFilter(FilterForm):
    q = _text(_("Name, address or job title"))
    status = forms.ChoiceField(
        label=_("Show"),
        choices=[
            ("", _("Everybody")),
            ("active", _("Active")),
            ("suspended", _("Suspended")),
            ("administrators", _("Administrators")),
            ("ex-directory", _("Not in the directory")),
        ],
    )


class TraceFilter(FilterForm):
    sender = _text(_("From"))
    recipient = _text(_("To"))
    reference = _text(_("Our reference"))
    since = forms.CharField(
        label=_("First day"), widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.CharField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"})
    )


class HistoryFilter(FilterForm):
    q = _text(_("Person, address or action"))
