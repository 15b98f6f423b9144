from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.directory import EntryKind
from engine.registry.models import Kind

ANYTHING = ("", _("Anything"))


class SearchForm(forms.Form):
    """What is looked for. Everything is optional, and what makes no sense is ignored."""

    q = forms.CharField(required=False, max_length=200)
    show = forms.ChoiceField(required=False, choices=[ANYTHING, *EntryKind.choices])
    kind = forms.ChoiceField(required=False, choices=[ANYTHING, *Kind.choices])
    town = forms.CharField(required=False, max_length=100)
    organisation = forms.IntegerField(required=False, min_value=1, max_value=2**31)

    def asked(self) -> dict[str, str]:
        """What was asked and makes sense, as it stands in a link to another page."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}
