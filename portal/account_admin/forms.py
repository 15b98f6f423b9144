"""Forms about another person's account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import Person
from portal.ui.forms import ActionForm, ReasonForm

DETAILS = (
    "name",
    "job_title",
    "phone",
    "town",
    "is_ex_directory",
)


class PersonForm(ActionForm):
    """A person's details, as the directory shows them."""

    name = forms.CharField(label=_("Full name"), max_length=150)
    job_title = forms.CharField(label=_("Job title"), max_length=150, required=False)
    phone = forms.CharField(
        label=_("Phone number"),
        max_length=40,
        required=False,
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-20", "autocomplete": "off"}
        ),
    )
    town = forms.CharField(
        label=_("Town"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    is_ex_directory = forms.BooleanField(
        label=_("Keep out of the directory"),
        help_text=_("People who know the address can still write to it."),
        required=False,
    )

    @staticmethod
    def initial_of(person: Person) -> dict[str, Any]:
        """Returns the person's present details, as initial values."""
        return {name: getattr(person, name) for name in DETAILS}

    @property
    def details(self) -> dict[str, Any]:
        """The arguments of the registry's actions on people."""
        return {name: self.cleaned_data[name] for name in DETAILS}


class NewAddressForm(ReasonForm):
    """A new everyday address for another person's account."""

    address = forms.EmailField(
        label=_("New everyday email address"),
        help_text=_(
            "Outside the community. Links that open the account will go there."
        ),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter the new everyday email address")},
    )
    field_order = ("address", "reason")
