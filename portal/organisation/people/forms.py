from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import Organisation, Person
from portal.organisation.forms import AddressField
from portal.organisation.people_file.csv_reader import OCTETS_LIMIT
from portal.ui.forms import ActionForm, ReasonForm

DETAILS = (
    "name",
    "job_title",
    "phone",
    "town",
    "is_ex_directory",
)


class PersonForm(ActionForm):
    """What is known of a person."""

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
        help_text=_("Others can still write to the address when they know it."),
        required=False,
    )

    @staticmethod
    def initial_of(person: Person) -> dict[str, Any]:
        return {name: getattr(person, name) for name in DETAILS}

    @property
    def details(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in DETAILS}


class NewAddressForm(ReasonForm):
    """Another everyday address for somebody else's account."""

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


class NewPersonForm(PersonForm):
    everyday_address = forms.EmailField(
        label=_("Everyday email address"),
        help_text=_(
            "Outside the community. For links and notices, never for messages."
        ),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    sends_link = forms.BooleanField(
        label=_("Send them a link to choose a password"),
        help_text=_("It goes to the everyday email address."),
        required=False,
        initial=True,
    )
    field_order = ("name", "address", "job_title", "phone", "town", "everyday_address")

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_hosted = organisation.is_hosted
        self.fields["address"] = AddressField(organisation)
        if not self.is_hosted:
            self.fields["sends_link"].help_text = _(
                "It goes to the everyday email address, or else to the secure address."
            )
        self.order_fields(self.field_order)

    @property
    def details(self) -> dict[str, Any]:
        address = self.cleaned_data["everyday_address"]
        return {**super().details, "everyday_address": address}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_missing = "everyday_address" in cleaned and not cleaned["everyday_address"]
        # Where they have a server of their own, the link goes to their mailbox there.
        if cleaned.get("sends_link") and is_missing and self.is_hosted:
            self.add_error(
                "everyday_address",
                _("Enter an everyday email address, or send no link"),
            )
        return cleaned


class PeopleFileForm(ActionForm):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Up to 1,000 people and 1 MB. Saved by any spreadsheet."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    sends_links = forms.BooleanField(
        label=_("Send each new person a link to choose a password"),
        help_text=_("To their everyday address, where the file has one."),
        required=False,
        initial=True,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > OCTETS_LIMIT:
            raise forms.ValidationError(_("The file must be smaller than 1 MB"))
        return file
