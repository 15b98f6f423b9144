"""Forms of the agents."""

from __future__ import annotations

from typing import Any

from django import forms

from engine.registry.models import Person, RoleName
from onboarding.forms.fields import PhoneField
from portal.helpdesk.fields import AddressField, FilesForm, ScannedFilesField
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.policies import MAX_TEXT_LENGTH, can_move
from portal.helpdesk.status import Category, Priority, Status

AFTER_ANSWER = (
    Status.WAITING_FOR_REQUESTER,
    Status.WAITING_FOR_OTHERS,
    Status.SOLVED,
    Status.OPEN,
)


def agents() -> Any:
    """Returns the people who can own a ticket."""
    rows = Person.objects.filter(
        is_active=True, staff_roles__role=RoleName.HELPDESK_AGENT
    )
    return rows.order_by("name", "pk")


class AnswerForm(FilesForm):
    """A reply that the requester reads. `seen` is the last entry on the page."""

    prefix = "answer"

    text = forms.CharField(
        label="Reply",
        max_length=MAX_TEXT_LENGTH,
        error_messages={"required": "Write a reply"},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    attachments = ScannedFilesField(
        label="Files", required=False, allow_empty_file=True
    )
    status = forms.ChoiceField(
        label="Afterwards the ticket is",
        choices=[(status.value, status.label) for status in AFTER_ANSWER],
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def clean_status(self) -> Status:
        return Status(self.cleaned_data["status"])


class NoteForm(forms.Form):
    """An internal note, which only staff read."""

    prefix = "note"

    text = forms.CharField(
        label="Internal note",
        max_length=MAX_TEXT_LENGTH,
        error_messages={"required": "Write a note"},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class OwnerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An agent, by name and address: two may have the same name."""

    def label_from_instance(self, obj: Any) -> str:
        """The agent's name and address."""
        return f"{obj.name} ({obj.address})"


class ChangeForm(forms.Form):
    """A ticket's status, owner, priority and category."""

    prefix = "change"

    status = forms.ChoiceField(label="Status", choices=Status.choices)
    owner = OwnerField(Person.objects.none(), required=False, empty_label="No one")
    priority = forms.ChoiceField(label="Priority", choices=Priority.choices)
    category = forms.ChoiceField(label="About", choices=Category.choices)


def change_form(ticket: Ticket, data: Any = None) -> ChangeForm:
    """Returns the form for a ticket, with the statuses that it can move to."""
    form = ChangeForm(
        data,
        initial={
            "status": ticket.status,
            "owner": ticket.owner_id,
            "priority": ticket.priority,
            "category": ticket.category,
        },
    )
    possible = [s for s in Status if s == ticket.status or can_move(ticket, s)]
    form.fields["status"] = forms.ChoiceField(
        label="Status", choices=[(s.value, s.label) for s in possible]
    )
    form.fields["owner"] = OwnerField(agents(), required=False, empty_label="No one")
    return form


class MergeForm(forms.Form):
    """The number of the ticket that this one is merged into."""

    prefix = "merge"

    into = forms.CharField(label="Merge into", max_length=20, help_text="PT-000123")


class CallForm(forms.Form):
    """A question that was asked on the telephone."""

    address = AddressField(
        label="Secure address of the caller",
        max_length=254,
        required=False,
        help_text="Leave it empty where the caller has none.",
    )
    name = forms.CharField(
        max_length=150, error_messages={"required": "Enter the caller's name"}
    )
    phone = PhoneField(label="Telephone number", required=False, max_length=40)
    category = forms.ChoiceField(label="About", choices=Category.choices)
    priority = forms.ChoiceField(
        choices=Priority.choices, initial=Priority.NORMAL.value
    )
    subject = forms.CharField(
        label="Question in one line",
        max_length=200,
        error_messages={"required": "Enter the question in one line"},
    )
    text = forms.CharField(
        label="What was said",
        max_length=MAX_TEXT_LENGTH,
        error_messages={"required": "Write down what was said"},
        widget=forms.Textarea(attrs={"rows": 8}),
    )


class CannedForm(forms.Form):
    """A canned reply. Its title is unique."""

    title = forms.CharField(max_length=100)
    category = forms.ChoiceField(label="About", choices=Category.choices)
    text = forms.CharField(
        max_length=10_000,
        help_text="Variables: {name} {number} {subject} {agent} {phone} {community}",
        widget=forms.Textarea(attrs={"rows": 10}),
    )

    def __init__(self, *args: Any, reply: CannedReply, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reply = reply

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        same = CannedReply.objects.filter(title=title).exclude(pk=self.reply.pk)
        if same.exists():
            raise forms.ValidationError("Another canned reply has this title.")
        return title
