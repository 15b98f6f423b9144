"""Forms for the settings of a mailbox and of its owner."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator

from engine.storage.folder_actions import MAX_NAME
from engine.storage.models import Folder, Rule
from portal.webmail.models import Density, Signature, UndoTime

DATES = ["%d/%m/%Y", "%Y-%m-%d", "%d %B %Y"]
# A reply ends at the midnight after its last day, which 31/12/9999 does not have.
PLAUSIBLE_DATE = MaxValueValidator(
    date(2199, 12, 31), "Enter a date such as 23/11/2026"
)
# Fields with the same name in the rule and in its form.
_SAME_NAME = (
    "name",
    "from_contains",
    "to_contains",
    "subject_contains",
    "has_attachments",
    "marks_read",
    "flags",
    "forward_to",
    "stops",
)


class FolderForm(forms.Form):
    """The name of a folder."""

    name = forms.CharField(
        max_length=MAX_NAME,
        help_text="To put it under another folder, write Cases/R v K",
        error_messages={"required": "Enter a name for the folder"},
    )


class DisplayForm(forms.Form):
    """How the mailbox lists its messages."""

    shows_conversations = forms.BooleanField(
        required=False, label="Show messages of one conversation on one line"
    )
    archives_by_year = forms.BooleanField(
        required=False,
        label="Archive into a folder for each year, such as Archive/2026",
    )


class ReadingPreferencesForm(forms.Form):
    """How a person reads."""

    density = forms.ChoiceField(
        choices=Density.choices, widget=forms.RadioSelect, label="Lists of messages"
    )
    uses_shortcuts = forms.BooleanField(
        required=False, label="Use keyboard shortcuts: single keys that act on messages"
    )


class RuleForm(forms.Form):
    """One rule. The folders that it can move to depend on the mailbox."""

    name = forms.CharField(
        max_length=100,
        label="Name of the rule",
        error_messages={"required": "Enter a name for the rule"},
    )
    from_contains = forms.CharField(
        max_length=200,
        required=False,
        label="The sender contains",
        help_text="Part of a name or an address, such as firm.example",
    )
    to_contains = forms.CharField(
        max_length=200, required=False, label="To or Cc contains"
    )
    subject_contains = forms.CharField(
        max_length=200, required=False, label="The subject contains"
    )
    has_attachments = forms.BooleanField(required=False, label="It has attachments")
    larger_than = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10**6,
        label="It is larger than, in kB",
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "class": "govuk-input--width-5"}
        ),
    )
    folder = forms.ChoiceField(required=False, label="Move it to")
    marks_read = forms.BooleanField(required=False, label="Mark it as read")
    flags = forms.BooleanField(required=False, label="Flag it")
    forward_to = forms.CharField(
        max_length=254,
        required=False,
        label="Forward it to",
        help_text="An address inside the community",
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none"}),
    )
    stops = forms.BooleanField(required=False, label="Skip the rules after this one")

    def __init__(self, *args: Any, folders: list[Folder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["folder"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                ("", "Leave it in the Inbox"),
                *((str(folder.pk), folder.name) for folder in folders),
            ]

    @classmethod
    def of(cls, rule: Rule, folders: list[Folder]) -> RuleForm:
        """Returns the form filled in from a saved rule."""
        initial = {name: getattr(rule, name) for name in _SAME_NAME}
        initial["folder"] = str(rule.folder_id or "")
        initial["larger_than"] = rule.larger_than and rule.larger_than // 1024
        return cls(initial=initial, folders=folders)

    def fill(self, rule: Rule) -> Rule:
        """Copies the form's values to the rule without saving it."""
        data = self.cleaned_data
        for name in _SAME_NAME:
            setattr(rule, name, data[name])
        rule.folder_id = int(data["folder"]) if data["folder"] else None
        kilobytes = data["larger_than"]
        rule.larger_than = None if kilobytes is None else kilobytes * 1024
        return rule


class OutOfOfficeForm(forms.Form):
    """The automatic reply: its dates, subject and text."""

    first_day = forms.DateField(
        label="First day",
        help_text="For example, 23/11/2026",
        input_formats=DATES,
        validators=[PLAUSIBLE_DATE],
        error_messages={
            "required": "Enter the first day",
            "invalid": "Enter a date such as 23/11/2026",
        },
        widget=forms.DateInput(
            format="%d/%m/%Y", attrs={"class": "govuk-input--width-10"}
        ),
    )
    last_day = forms.DateField(
        required=False,
        label="Last day",
        help_text="If empty, the reply is sent until you turn it off",
        input_formats=DATES,
        validators=[PLAUSIBLE_DATE],
        error_messages={"invalid": "Enter a date such as 23/11/2026"},
        widget=forms.DateInput(
            format="%d/%m/%Y", attrs={"class": "govuk-input--width-10"}
        ),
    )
    subject = forms.CharField(
        max_length=200,
        required=False,
        label="Subject",
        help_text="If empty, “Automatic reply” and the subject of the message",
    )
    text = forms.CharField(
        max_length=5000,
        label="Your reply",
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Enter your reply"},
    )


class SignatureForm(forms.Form):
    """A signature of a mailbox."""

    name = forms.CharField(
        help_text="Only you see it, when you choose a signature.",
        max_length=60,
        widget=forms.TextInput({"class": "govuk-input--width-20"}),
    )
    text = forms.CharField(
        label="Signature", max_length=2000, widget=forms.Textarea({"rows": 5})
    )
    is_default = forms.BooleanField(
        label="Add it to every new message from this mailbox", required=False
    )

    @classmethod
    def of(cls, signature: Signature) -> SignatureForm:
        """Returns the form filled in from a saved signature."""
        fields = ("name", "text", "is_default")
        return cls(initial={name: getattr(signature, name) for name in fields})


class WritingPreferencesForm(forms.Form):
    """How a person writes: undo time, and the check before sending."""

    undo_seconds = forms.TypedChoiceField(
        label="How long can you undo sending a message?",
        choices=UndoTime.choices,
        coerce=int,
        widget=forms.RadioSelect,
    )
    asks_about_new = forms.BooleanField(
        label="Ask me before I send a first message to somebody at another organisation",
        required=False,
    )
    writes_rich_text = forms.BooleanField(
        label="Write with formatting: bold, lists, links and pictures",
        help_text="Every message carries a plain version too. Without JavaScript you "
        "write plain text.",
        required=False,
    )


class TextTemplateForm(forms.Form):
    """A template of text."""

    name = forms.CharField(max_length=60)
    text = forms.CharField(max_length=10_000, widget=forms.Textarea(attrs={"rows": 10}))
