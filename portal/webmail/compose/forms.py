"""The form of the compose page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.timezone import is_naive

from engine.mail.address import Address
from engine.mail.errors import MailError
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.sending_rates.rate_limits import RateExceededError
from engine.registry.models import Mailbox
from portal.webmail import recipient_input
from portal.webmail.access import MailboxAccess
from portal.webmail.compose import sender_choice
from portal.webmail.compose.sender_choice import SenderChoice
from portal.webmail.drafts.attachments import Upload
from portal.webmail.drafts.draft import RECIPIENT_FIELDS, Draft, number_in
from portal.webmail.drafts.options import (
    Importance,
    Options,
    classifications,
    needs_classification,
)
from portal.webmail.recipient_input import ParsedRecipients
from portal.webmail.rendering import written_html
from portal.webmail.rendering.html_limits import TooComplexError

# How far ahead a message may be sent.
LATEST = timedelta(days=60)

TOO_COMPLEX = (
    "The formatting is too complicated to be sent. Remove some of what was pasted, or use "
    "plain text."
)


def parse_moment(text: str) -> datetime | None:
    """Returns the moment that a datetime-local field has, in the reader's time zone."""
    try:
        typed = parse_datetime(text.strip())
        return timezone.make_aware(typed) if typed and is_naive(typed) else None
    except (ValueError, OverflowError):
        return None


class FilesInput(forms.FileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; `clean` returns a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Returns the list of uploaded files, each validated."""
        chosen = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in chosen if one]


class WriteForm(forms.Form):
    """A message as typed, over the `draft` as last saved.

    Anything may be saved as a draft; only `recipients`, called after `is_valid`, checks
    that the message can be sent.
    """

    sender = forms.CharField(label="From", required=False)
    to = forms.CharField(label="To", required=False, max_length=20_000)
    cc = forms.CharField(label="Cc", required=False, max_length=20_000)
    bcc = forms.CharField(label="Bcc", required=False, max_length=20_000)
    subject = forms.CharField(required=False, max_length=250)
    text = forms.CharField(
        label="Message", required=False, strip=False, max_length=1_000_000
    )
    html = forms.CharField(required=False, strip=False, max_length=1_000_000)
    importance = forms.ChoiceField(
        required=False,
        choices=[("", "Normal"), ("high", "High"), ("low", "Low")],
    )
    classification = forms.CharField(required=False, max_length=60)
    wants_receipt = forms.BooleanField(
        label="Ask each recipient for a receipt when they open it", required=False
    )
    send_at = forms.CharField(label="Send later", required=False, max_length=30)
    follow_up = forms.CharField(required=False, max_length=3)
    window = forms.CharField(required=False, max_length=32)
    turn = forms.CharField(required=False, max_length=8)
    attachments = FilesField(label="Add files", required=False, allow_empty_file=True)
    answers = forms.IntegerField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        draft: Draft,
        senders: Sequence[MailboxAccess],
        pictures: Mapping[str, str] | None = None,
        **kwargs: Any,
    ):
        """`pictures` are the sources that pictures in the text may have (written_html)."""
        super().__init__(*args, **kwargs)
        self.pictures = pictures or {}
        self.draft = draft
        self.senders = senders

    @cached_property
    def chosen(self) -> SenderChoice:
        """What the message is sent from: as chosen, else the first that may be."""
        chosen = self.data.get("sender") or self.initial.get("sender") or ""
        found = sender_choice.find(chosen, self.senders)
        return found or SenderChoice(self.senders[0].mailbox)

    @property
    def sender_mailbox(self) -> Mailbox:
        """The mailbox that the message is sent from."""
        return self.chosen.mailbox

    @property
    def sender_address(self) -> Address:
        """The address that the message is sent from."""
        return self.chosen.address

    @property
    def sender_choices(self) -> list[SenderChoice]:
        """Every mailbox, and the address with a detail that is or was chosen."""
        own = [SenderChoice(access.mailbox) for access in self.senders]
        kept = sender_choice.find(self.draft.sender, self.senders)
        detailed = {one.key: one for one in (kept, self.chosen) if one and one.detail}
        return [*own, *detailed.values()]

    def clean_sender(self) -> str:
        """Refuses an address that the person may not send from."""
        chosen: str = self.cleaned_data["sender"]
        if chosen and sender_choice.find(chosen, self.senders) is None:
            raise forms.ValidationError("You may not send from this address.")
        return chosen

    def clean(self) -> None:
        """Refuses formatting that would take too long to sanitise."""
        try:
            self.formatted  # noqa: B018
        except TooComplexError:
            self.add_error("text", TOO_COMPLEX)

    @cached_property
    def formatted(self) -> str:
        """The formatted text, sanitised; empty for plain text. Raises TooComplexError.

        Without JavaScript the page posts plain text alone: what has not changed keeps its
        formatting.
        """
        posted = self._typed("html")
        if posted:
            return written_html.sanitise(posted, self.pictures)
        text = self._typed("text").replace("\r\n", "\n")
        kept = self.draft.html and text.strip() == self.draft.text.strip()
        return self.draft.html if kept else ""

    def edited(self) -> Draft:
        """Returns the draft with what was typed, valid or not."""
        typed: dict[str, Any] = {
            name: self._typed(name) for name in (*RECIPIENT_FIELDS, "subject", "text")
        }
        window = self._typed("window")
        with suppress(TooComplexError):
            if self.formatted:
                typed["html"] = self.formatted
                typed["text"] = written_html.as_text(self.formatted)
        return Draft(
            token=self.draft.token,
            sender=self.chosen.key,
            in_reply_to=self.draft.in_reply_to,
            references=self.draft.references,
            options=self.options,
            window=window if window.isascii() and window.isalnum() else "",
            turn=number_in(self._typed("turn")),
            version=self.draft.version,
            **self._times(),
            **typed,
        )

    @property
    def options(self) -> Options:
        """How the message is marked; the page without these fields changes nothing."""
        if "has_options" not in self.data:
            return self.draft.options
        classification = self._typed("classification")
        importance = self._typed("importance")
        return Options(
            importance=Importance(importance if importance in ("high", "low") else ""),
            classification=classification
            if classification in classifications()
            else "",
            wants_receipt=bool(self.data.get("wants_receipt")),
        )

    def _times(self) -> dict[str, Any]:
        """Returns when to send it and to remind; the page without them changes nothing."""
        typed = self._typed("follow_up")
        return {
            "send_at": self._send_at if self.leaves_at else "",
            "follow_up": number_in(typed)
            if "follow_up" in self.data
            else self.draft.follow_up,
        }

    @property
    def _send_at(self) -> str:
        is_asked = "send_at" in self.data
        return self._typed("send_at") if is_asked else self.draft.send_at

    @property
    def leaves_at(self) -> datetime | None:
        """When the message is to be sent; None for now. `recipients` checks it."""
        return parse_moment(self._send_at)

    def _check_send_at(self) -> None:
        """Adds an error for a moment that is past, or too far away for the queue.

        Only where the message is sent: a draft is saved whatever the time.
        """
        if not self._send_at.strip():
            return
        moment, now = self.leaves_at, timezone.now()
        if moment is None or not now < moment <= now + LATEST:
            self.add_error(
                "send_at", f"Choose a time after now, within {LATEST.days} days"
            )

    def check_classification(self) -> None:
        """Adds an error to a message without the classification that it must have."""
        is_required = needs_classification(self.sender_mailbox.organisation)
        if is_required and not self.options.classification:
            self.add_error("classification", "Choose how the message is classified")

    def uploads(self) -> list[Upload]:
        """Returns the files chosen in this form, after `is_valid`."""
        files: list[UploadedFile[Any]] = self.cleaned_data.get("attachments") or []
        return [
            Upload(file.name or "file", file.content_type or "", file.chunks())
            for file in files
        ]

    def recipients(self) -> Recipients:
        """Returns the recipients; adds an error to the form for each that is refused."""
        read = {name: self._read(name) for name in RECIPIENT_FIELDS}
        found = sum(len(typed.recipients) for typed in read.values())
        wrong = sum(len(typed.errors) for typed in read.values())
        if not found and not wrong:
            self.add_error("to", "Enter at least one address to send the message to")
        if found > recipient_input.LIMIT:
            self.add_error("to", f"Write to at most {recipient_input.LIMIT} addresses")
        self.check_classification()
        self._check_send_at()
        return Recipients(**{name: typed.recipients for name, typed in read.items()})

    def refused(self, error: MailError, *, has_files: bool) -> None:
        """Adds the reason for which the queue refused the message to the form."""
        if isinstance(error, RateExceededError):
            self.add_error(
                None,
                f"Your message was not sent: {recipient_input.reply_text(error)}. "
                "Nothing is lost.",
            )
        elif error.reply.is_temporary:
            self.add_error(
                None,
                f"Your message was not sent: {recipient_input.reply_text(error)}. "
                "Nothing is lost. Try again in a few minutes.",
            )
        else:
            field = "attachments" if has_files else None
            self.add_error(field, recipient_input.reply_text(error))

    def _read(self, name: str) -> ParsedRecipients:
        typed = recipient_input.parse_recipients(self._typed(name))
        refused = recipient_input.refusal_reasons(
            typed.recipients, sender=self.sender_address
        )
        for error in (*typed.errors, *refused):
            self.add_error(name, error)
        return typed

    def _typed(self, name: str) -> str:
        field = self.fields[name]
        limit = getattr(field, "max_length", None)
        return str(self.data.get(name, ""))[:limit].replace("\0", "")
