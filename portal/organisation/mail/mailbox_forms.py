"""Forms about group mailboxes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.addresses.allocation import to_community_address
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Organisation, Person
from portal.organisation.forms import AddressField
from portal.ui.forms import ActionForm

RIGHTS = {
    "read": _("Read"),
    "write": _("Move and delete"),
    "send": _("Send as the team"),
}
HINTS = {
    "read": _("Open the mailbox and its messages."),
    "write": _("Move, delete and keep drafts."),
    "send": _("Write from the mailbox's address. The history shows who did."),
}


class MailboxForm(ActionForm):
    """A group mailbox."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("What people see, such as “Listing office”."),
        max_length=150,
    )
    is_published = forms.BooleanField(
        label=_("Show it in the directory"), required=False, initial=True
    )

    @staticmethod
    def initial_of(mailbox: Mailbox) -> dict[str, Any]:
        """Returns the mailbox's present details, as initial values."""
        return {"name": mailbox.name, "is_published": mailbox.is_published}


class NewMailboxForm(MailboxForm):
    """A new group mailbox, with its address."""

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"] = AddressField(organisation)
        self.order_fields(("name", "address", "is_published"))


class RightsForm(ActionForm):
    """A person's rights to the mailbox, each independent of the others."""

    rights = forms.MultipleChoiceField(
        label=_("What they may do"),
        choices=list(RIGHTS.items()),
        initial=["read", "write", "send"],
        error_messages={"required": _("Select at least one right")},
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rights"].widget.hints = HINTS

    @property
    def flags(self) -> dict[str, bool]:
        """The arguments of the registry's grant."""
        chosen = self.cleaned_data["rights"]
        return {f"can_{right}": right in chosen for right in RIGHTS}


class NewRightsForm(RightsForm):
    """Another person's rights, by their address."""

    address = forms.CharField(
        label=_("Secure address of the person"),
        max_length=254,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "autocapitalize": "none",
                "list": "colleagues",
            }
        ),
    )
    field_order = ("address", "rights")

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation

    def clean_address(self) -> Person:
        try:
            key = to_community_address(self.cleaned_data["address"]).key
        except PolicyError as error:
            raise forms.ValidationError(str(error)) from error
        person = self.organisation.people.filter(address=key).first()
        if person is None:
            raise forms.ValidationError(
                _("No one in your organisation has this address")
            )
        return person
