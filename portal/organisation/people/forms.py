"""Forms that add people: one person, or a file of many."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import Organisation
from portal.account_admin.forms import PersonForm
from portal.organisation.forms import AddressField
from portal.organisation.people_file.csv_reader import OCTETS_LIMIT
from portal.ui.forms import ActionForm


class NewPersonForm(PersonForm):
    """A new person of the organisation."""

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
        """The arguments of the registry's action, with the everyday address."""
        address = self.cleaned_data["everyday_address"]
        return {**super().details, "everyday_address": address}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        is_missing = "everyday_address" in cleaned and not cleaned["everyday_address"]
        # Without a mailbox here, the link goes to the mailbox in their own server.
        if cleaned.get("sends_link") and is_missing and self.is_hosted:
            self.add_error(
                "everyday_address",
                _("Enter an everyday email address, or do not send a link"),
            )
        return cleaned


class PeopleFileForm(ActionForm):
    """A CSV file of people to add."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Up to 5,000 people and 1 MB. Any spreadsheet can save one."),
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
