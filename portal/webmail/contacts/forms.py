"""Forms of the address book."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.mail.address_list import NamedAddress
from engine.registry.models import Person
from portal.webmail import recipient_input
from portal.webmail.contacts.contact_card import Card
from portal.webmail.contacts.file_text import SIZE_LIMIT
from portal.webmail.models import Contact, ContactGroup

WIDE = {"class": "govuk-input--width-20"}


class ContactForm(forms.Form):
    """One contact. `actions.add` and `actions.edit` check the address."""

    name = forms.CharField(max_length=150, widget=forms.TextInput(WIDE))
    address = forms.CharField(
        label="Secure address",
        max_length=254,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )
    organisation = forms.CharField(required=False, max_length=200)
    phone = forms.CharField(required=False, max_length=40, widget=forms.TextInput(WIDE))
    note = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea({"rows": 3})
    )
    groups = forms.ModelMultipleChoiceField(
        ContactGroup.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = ContactGroup.objects.filter(person=person)
        if groups:
            self.fields["groups"].queryset = groups  # type: ignore[attr-defined]
        else:
            del self.fields["groups"]

    @classmethod
    def of(cls, contact: Contact) -> ContactForm:
        """Returns the form filled in from a contact."""
        fields = ("name", "address", "organisation", "phone", "note")
        initial: dict[str, Any] = {name: getattr(contact, name) for name in fields}
        initial["groups"] = list(contact.groups.values_list("pk", flat=True))
        return cls(initial=initial, person=contact.person)

    def card(self) -> Card:
        """Returns the form's values as a card, after `is_valid`."""
        fields = ("name", "address", "organisation", "phone", "note")
        return Card(**{name: self.cleaned_data[name].strip() for name in fields})


class GroupForm(forms.Form):
    """The name of a group."""

    name = forms.CharField(
        label="Name of the group", max_length=100, widget=forms.TextInput(WIDE)
    )


class MembersForm(forms.Form):
    """People to add to a group, as typed recipients."""

    people = forms.CharField(
        label="Add people",
        help_text="For example Jane Jones <jane@firm.example>, with a comma between "
        "people. New people are added to your address book.",
        max_length=20_000,
        widget=forms.Textarea({"rows": 3}),
    )

    def clean_people(self) -> list[NamedAddress]:
        """Parses the recipients; one error for each that is no address."""
        typed = recipient_input.parse_recipients(
            self.cleaned_data["people"].replace("\n", ",")
        )
        if typed.errors:
            raise forms.ValidationError(typed.errors)
        if len(typed.recipients) > recipient_input.LIMIT:
            raise forms.ValidationError(
                f"Add at most {recipient_input.LIMIT} people at a time"
            )
        return typed.recipients

    def cards(self) -> list[Card]:
        """Returns the people as cards, after `is_valid`."""
        return [
            Card((named.name or str(named.address))[:150], str(named.address))
            for named in self.cleaned_data["people"]
        ]


class ImportForm(forms.Form):
    """A file of contacts."""

    file = forms.FileField(
        label="File with contacts",
        help_text="A CSV file from Outlook or Google, or a vCard file (.vcf) from a phone "
        "or another program, up to 2 MB. Names, addresses, organisations, a telephone "
        "number, notes and groups are imported; photographs and birthdays are not. You "
        "see what would change before anything does.",
    )

    def clean_file(self) -> Any:
        """Refuses files larger than SIZE_LIMIT."""
        file = self.cleaned_data["file"]
        if file.size > SIZE_LIMIT:
            raise forms.ValidationError("The file is larger than 2 MB.")
        return file
