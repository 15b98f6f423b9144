"""Forms about distribution lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import DistributionList, Organisation, Posting
from portal.organisation.forms import AddressField, split_addresses
from portal.ui.forms import ActionForm

PASTE_LIMIT = 500


class ListForm(ActionForm):
    """A distribution list without its members."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("What people see, such as “Northgate court users”."),
        max_length=150,
    )
    posting = forms.ChoiceField(
        label=_("Who may write to it"),
        choices=Posting.choices,
        initial=Posting.ORGANISATION,
        widget=forms.RadioSelect,
    )
    is_published = forms.BooleanField(
        label=_("Show it in the directory"), required=False, initial=True
    )

    @staticmethod
    def initial_of(found: DistributionList) -> dict[str, Any]:
        """Returns the list's present details, as initial values."""
        return {
            "name": found.name,
            "posting": found.posting,
            "is_published": found.is_published,
        }


class NewListForm(ListForm):
    """A new list, with its address."""

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"] = AddressField(organisation)
        self.order_fields(("name", "address", "posting", "is_published"))


class AddressesForm(ActionForm):
    """Pasted addresses of members or posters, up to PASTE_LIMIT."""

    addresses = forms.CharField(
        label=_("Secure addresses"),
        help_text=_("From any organisation in the community. One on each line."),
        error_messages={"required": _("Enter at least one address")},
        widget=forms.Textarea(
            attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}
        ),
    )

    def clean_addresses(self) -> list[str]:
        found = split_addresses(self.cleaned_data["addresses"])
        if not found:
            raise forms.ValidationError(_("Enter at least one address"))
        if len(found) > PASTE_LIMIT:
            raise forms.ValidationError(
                _("Enter up to %(limit)d addresses at a time") % {"limit": PASTE_LIMIT}
            )
        return found
