from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from engine.mail.address import Address
from engine.mail.composer import Attachment
from engine.mail.errors import MailError
from portal.webmail import recipients
from portal.webmail.access import Desk
from portal.webmail.actions import Addressees
from portal.webmail.draft import TYPED, Draft
from portal.webmail.recipients import Typed

# Files grow by a third and a little on their way (RFC 2045 §6.8).
ENCODED_SHARE = 0.73

FILES_LIMIT = 100


def files_limit() -> int:
    """Octets of files that fit into one message."""
    return int(settings.POSTERN.message_size_limit * ENCODED_SHARE)


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files at once; `clean` gives a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        chosen = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in chosen if one]


class WriteForm(forms.Form):
    """A message as somebody types it. `draft` has the files that it carries already.

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

    def clean_sender(self) -> str:
        chosen: str = self.cleaned_data["sender"]
        if chosen and chosen not in self.senders:
            raise forms.ValidationError("You may not send from this mailbox.")
        return chosen

    def clean_attachments(self) -> list[UploadedFile[Any]]:
        files: list[UploadedFile[Any]] = self.cleaned_data["attachments"]
        total = self.draft.size + sum(file.size or 0 for file in files)
        if total > files_limit():
            raise forms.ValidationError(
                f"The files are {filesizeformat(total)} together. One message carries "
                f"at most {filesizeformat(files_limit())}: send them in several."
            )
        if len(self.draft.attachments) + len(files) > FILES_LIMIT:
            raise forms.ValidationError(
                f"One message carries at most {FILES_LIMIT} files."
            )
        return files

    def edited(self) -> Draft:
        """The draft as it is now: what was typed, whether right or not, and new files."""
        typed = {name: self._typed(name) for name in (*TYPED, "subject", "text")}
        return Draft(
            token=self.draft.token,
            sender=str(self.desk.mailbox.pk),
            attachments=(*self.draft.attachments, *self._new_files()),
            in_reply_to=self.draft.in_reply_to,
            references=self.draft.references,
            **typed,
        )

    def addressees(self) -> Addressees:
        """Who gets the message; adds an error to the form for whoever cannot."""
        read = {name: self._read(name) for name in TYPED}
        found = sum(len(typed.recipients) for typed in read.values())
        wrong = sum(len(typed.errors) for typed in read.values())
        if not found and not wrong:
            self.add_error("to", "Enter at least one address to send the message to")
        if found > recipients.LIMIT:
            self.add_error(
                "to", f"Write to at most {recipients.LIMIT} addresses at once"
            )
        return Addressees(**{name: typed.recipients for name, typed in read.items()})

    def refused(self, error: MailError) -> None:
        """Say why the message was not taken."""
        if error.reply.is_temporary:
            self.add_error(
                None,
                f"Your message was not sent: {recipients.sentence(error)}. "
                "Nothing is lost. Try again in a few minutes.",
            )
        else:
            field = "attachments" if self.has_files else None
            self.add_error(field, recipients.sentence(error))

    @property
    def has_files(self) -> bool:
        return bool(self.draft.attachments or self.cleaned_data.get("attachments"))

    def _read(self, name: str) -> Typed:
        typed = recipients.read(self._typed(name))
        sender = Address.parse(self.desk.mailbox.address)
        refused = recipients.refusals(typed.recipients, sender=sender)
        for error in (*typed.errors, *refused):
            self.add_error(name, error)
        return typed

    def _typed(self, name: str) -> str:
        field = self.fields[name]
        limit = getattr(field, "max_length", None)
        return str(self.data.get(name, ""))[:limit].replace("\0", "")

    def _new_files(self) -> list[Attachment]:
        return [
            Attachment(file.name or "file", file.content_type or "", file.read())
            for file in self.cleaned_data.get("attachments") or []
        ]
