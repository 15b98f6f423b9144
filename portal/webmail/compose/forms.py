from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from engine.mail.address import Address
from engine.mail.errors import MailError
from engine.queue.sending_rates.rate_limits import RateExceededError
from portal.webmail import recipient_input
from portal.webmail.access import Desk
from portal.webmail.compose.send_message import Addressees
from portal.webmail.drafts.attachments import Upload
from portal.webmail.drafts.draft import TYPED, Draft
from portal.webmail.recipient_input import Typed


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files at once; `clean` gives a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        chosen = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in chosen if one]


class WriteForm(forms.Form):
    """A message as somebody types it, over the `draft` as it was last kept.

    Anything may be kept as a draft. Only what is sent has to be right: that is what
    `addressees` checks, after `is_valid`.
    """

    sender = forms.CharField(label="From", required=False)
    to = forms.CharField(label="To", required=False, max_length=20_000)
    cc = forms.CharField(label="Cc", required=False, max_length=20_000)
    bcc = forms.CharField(label="Bcc", required=False, max_length=20_000)
    subject = forms.CharField(required=False, max_length=250)
    text = forms.CharField(
        label="Message", required=False, strip=False, max_length=1_000_000
    )
    attachments = FilesField(label="Add files", required=False, allow_empty_file=True)
    answers = forms.IntegerField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, draft: Draft, senders: Sequence[Desk], **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        self.draft = draft
        self.senders = {str(desk.mailbox.pk): desk for desk in senders}
        self.sender_choices = [
            (key, f"{desk.mailbox.name} <{desk.mailbox.address}>")
            for key, desk in self.senders.items()
        ]

    @property
    def desk(self) -> Desk:
        """The mailbox that the message leaves from."""
        chosen = self.data.get("sender") or self.initial.get("sender") or ""
        return self.senders.get(chosen) or next(iter(self.senders.values()))

    @property
    def sender_address(self) -> Address:
        return Address.parse(self.desk.mailbox.address)

    def clean_sender(self) -> str:
        chosen: str = self.cleaned_data["sender"]
        if chosen and chosen not in self.senders:
            raise forms.ValidationError("You may not send from this mailbox.")
        return chosen

    def edited(self) -> Draft:
        """The draft as it is now: what was typed, whether right or not."""
        typed = {name: self._typed(name) for name in (*TYPED, "subject", "text")}
        return Draft(
            token=self.draft.token,
            sender=str(self.desk.mailbox.pk),
            in_reply_to=self.draft.in_reply_to,
            references=self.draft.references,
            version=self.draft.version,
            **typed,
        )

    def uploads(self) -> list[Upload]:
        """The files chosen in this form, after `is_valid`."""
        files: list[UploadedFile[Any]] = self.cleaned_data.get("attachments") or []
        return [
            Upload(file.name or "file", file.content_type or "", file.chunks())
            for file in files
        ]

    def addressees(self) -> Addressees:
        """Who gets the message; adds an error to the form for whoever cannot."""
        read = {name: self._read(name) for name in TYPED}
        found = sum(len(typed.recipients) for typed in read.values())
        wrong = sum(len(typed.errors) for typed in read.values())
        if not found and not wrong:
            self.add_error("to", "Enter at least one address to send the message to")
        if found > recipient_input.LIMIT:
            self.add_error(
                "to", f"Write to at most {recipient_input.LIMIT} addresses at once"
            )
        return Addressees(**{name: typed.recipients for name, typed in read.items()})

    def refused(self, error: MailError, *, has_files: bool) -> None:
        """Say why the message was not taken."""
        if isinstance(error, RateExceededError):
            self.add_error(
                None,
                f"Your message was not sent: {recipient_input.sentence(error)}. "
                "Nothing is lost.",
            )
        elif error.reply.is_temporary:
            self.add_error(
                None,
                f"Your message was not sent: {recipient_input.sentence(error)}. "
                "Nothing is lost. Try again in a few minutes.",
            )
        else:
            field = "attachments" if has_files else None
            self.add_error(field, recipient_input.sentence(error))

    def _read(self, name: str) -> Typed:
        typed = recipient_input.read(self._typed(name))
        refused = recipient_input.refusals(typed.recipients, sender=self.sender_address)
        for error in (*typed.errors, *refused):
            self.add_error(name, error)
        return typed

    def _typed(self, name: str) -> str:
        field = self.fields[name]
        limit = getattr(field, "max_length", None)
        return str(self.data.get(name, ""))[:limit].replace("\0", "")
