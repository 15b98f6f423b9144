"""Filter forms above a list: shown as submitted, and never refused as invalid."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

LENGTH_LIMIT = 254  # characters of one criterion
PLAIN_INPUT = {"autocomplete": "off", "spellcheck": "false"}


class FilterForm(forms.Form):
    """Filters a list by the query string.

    `criteria` maps each field to its trimmed text, empty where the filter is not set.
    """

    def __init__(self, request: HttpRequest) -> None:
        # PostgreSQL refuses NUL in text, so that it would fail instead of finding nothing.
        given = {
            name: request.GET.get(name, "").replace("\0", "").strip()[:LENGTH_LIMIT]
            for name in self.base_fields
        }
        super().__init__(initial=given, auto_id="%s")
        self.criteria = given

    @property
    def is_search(self) -> bool:
        """True where any filter is set."""
        return any(self.criteria.values())


def text_filter(label: Any) -> forms.CharField:
    """A criterion that is typed."""
    return forms.CharField(label=label, widget=forms.TextInput(attrs=dict(PLAIN_INPUT)))


def date_filter(label: Any) -> forms.CharField:
    """A day, as text: a FilterForm reads it, and ignores what is not a date."""
    return forms.CharField(label=label, widget=forms.DateInput(attrs={"type": "date"}))
