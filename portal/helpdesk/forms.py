"""The forms for requesters."""

from __future__ import annotations

from typing import Any

from django import forms

from onboarding.forms.fields import OwnNameField, PhoneField
from portal.helpdesk.fields import AddressField, FilesForm, ScannedFilesField
from portal.helpdesk.policies import MAX_TEXT_LENGTH
from portal.helpdesk.status import Category


def _text(label: str, missing: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=MAX_TEXT_LENGTH,
        error_messages={"required": missing},
        widget=forms.Textarea(attrs={"rows": 8}),
    )


def _files() -> ScannedFilesField:
    return ScannedFilesField(
        label="Add files",
        required=False,
        allow_empty_file=True,
        help_text="For example a screenshot. Up to 10 files, 20 MB in total.",
    )


class QuestionForm(FilesForm):
    """A question from a member who is signed in."""

    category = forms.ChoiceField(
        label="What is it about?",
        choices=Category.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what it is about"},
    )
    subject = forms.CharField(
        label="Your question in one line",
        max_length=200,
        error_messages={"required": "Enter your question in one line"},
    )
    text = _text("Tell us more", "Tell us what happened and what you expected")
    attachments = _files()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].help_text = (
            "What did you do, what did you expect, and what happened? Do not tell us "
            "your password."
        )

    def clean_category(self) -> Category:
        return Category(self.cleaned_data["category"])


class AskForm(QuestionForm):
    """A question from a visitor who cannot sign in, or has no account."""

    name = OwnNameField(
        label="Full name",
        max_length=150,
        error_messages={"required": "Enter your full name"},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    address = AddressField(
        label="Email address",
        max_length=254,
        help_text="We reply to this address. Give one that you can read now.",
        error_messages={"required": "Enter your email address"},
        widget=forms.TextInput(
            attrs={"type": "email", "autocomplete": "email", "spellcheck": "false"}
        ),
    )
    phone = PhoneField(
        label="Telephone number",
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "type": "tel",
                "autocomplete": "tel",
                "class": "govuk-input--width-20",
            }
        ),
    )
    field_order = ("name", "address", "phone", "category", "subject", "text")


class AddForm(FilesForm):
    """What a requester adds to an open ticket."""

    text = _text("Add to your question", "Enter what you want to add")
    attachments = _files()
