"""One request to write a message: who writes, where, on which draft, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from engine.mail.composer import Attachment
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage.models import Message
from portal.webmail.access import Desk, Desks, desks_of
from portal.webmail.compose import reply_drafts
from portal.webmail.compose.forms import WriteForm
from portal.webmail.compose.send_message import Addressees, Sending
from portal.webmail.drafts import attachments, draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.models import DraftFile, Habits

Exchange = Callable[[str], str]

NO_RIGHT = "You may read this mailbox, but not send from it."


@dataclass(frozen=True, slots=True)
class Writing:
    """A draft as it was last kept, with what was posted over it."""

    desks: Desks
    desk: Desk
    kept: Draft
    form: WriteForm
    checks_version: bool = False

    @property
    def home(self) -> Mailbox | None:
        """Where the draft is kept; None for who has no place for drafts."""
        desk = self.desks.drafts_at(self.desk)
        return desk.mailbox if desk else None

    @property
    def files(self) -> list[DraftFile]:
        """What the draft carries already."""
        if self.home is None:
            return []
        rows = DraftFile.objects.of(self.home, self.kept.token)
        return list(rows.select_related("content"))

    @property
    def wait(self) -> timedelta:
        """How long a sent message waits before it leaves."""
        habits = Habits.objects.filter(person=self.desks.person).first()
        return (habits or Habits()).wait

    @property
    def file_sizes(self) -> list[int]:
        """Octets of each file that the message will carry."""
        if self.home is None:
            return [len(one.data) for one in self.loose_files]
        return [one.size for one in self.files]

    @property
    def loose_files(self) -> list[Attachment]:
        """The files that are posted with the message and kept nowhere."""
        if self.home is not None:
            return []
        return [
            Attachment(one.name, one.content_type, b"".join(one.chunks))
            for one in self.form.uploads()
        ]

    def door(self, draft: Draft) -> str:
        """The address of the page on which the draft is written."""
        return reverse("webmail:draft", args=[self.desk.mailbox.pk, draft.token])

    def posted_again(self, posted: QueryDict) -> Writing:
        """The same, with words that were posted before somebody signed in again."""
        form = WriteForm(posted, draft=self.kept, senders=self.desks.sendable)
        return replace(self, form=form, checks_version="version" in posted)

    def sending(self, edited: Draft, addressees: Addressees) -> Sending:
        """The message as it is to be sent."""
        return Sending(
            draft=edited,
            addressees=addressees,
            sender=self.form.desk.mailbox,
            drafts=self.home,
            wait=self.wait,
            more=self.loose_files,
        )

    def save(self, exchange: Exchange | None = None) -> Draft:
        """Keep what was typed. Raises ChangedElsewhereError, having kept nothing.

        `exchange` makes new words of the typed ones. Without a place for drafts, what
        was typed comes back as it is.
        """
        edited = self.form.edited()
        if exchange is not None:
            edited = replace(edited, text=exchange(edited.text))
        if self.home is None:
            return edited
        sender = self.form.desk.mailbox
        if not self.checks_version:
            return draft_store.save(edited, mailbox=self.home, sender=sender)
        version = self.form.cleaned_data.get("version")
        return draft_store.save_over(
            edited, version=version, mailbox=self.home, sender=sender
        )

    def save_apart(self) -> Draft:
        """Keep what was typed as a draft of its own, beside what another window did."""
        edited = replace(self.form.edited(), token=uuid4(), version=None)
        if self.home is None:
            return edited
        return draft_store.save(
            edited, mailbox=self.home, sender=self.form.desk.mailbox
        )

    def add_files(self) -> None:
        """Keep the files that were chosen; what is wrong with any is said in the form."""
        if self.home is None:
            return
        for upload in self.form.uploads():
            try:
                attachments.add(
                    upload,
                    mailbox=self.home,
                    token=self.kept.token,
                    by=self.desks.person,
                )
            except PolicyError as error:
                self.form.add_error("attachments", str(error))
        draft_store.mark_files(self.kept.token, mailbox=self.home)


def begin(request: HttpRequest, mailbox_id: int, token: UUID) -> Writing:
    """What a request is about. Raises Http404, and PermissionDenied for who cannot send."""
    desks = desks_of(request)
    desk = desks.at(mailbox_id)
    check_can_write(desks)
    home = desks.drafts_at(desk)
    kept = draft_store.find(home.mailbox, token) if home else None
    if request.method != "POST":
        shown = kept or Draft(token=token)
        return Writing(desks, desk, shown, form_for(desks, desk, shown))
    draft = kept or started(request, desks, token)
    form = WriteForm(request.POST, request.FILES, draft=draft, senders=desks.sendable)
    return Writing(desks, desk, draft, form, "version" in request.POST)


def check_can_write(desks: Desks) -> None:
    """Raise PermissionDenied for somebody who may send from no mailbox."""
    if not desks.sendable:
        raise PermissionDenied(NO_RIGHT)


def form_for(
    desks: Desks, desk: Desk, draft: Draft, *, answers: int | None = None
) -> WriteForm:
    """The form with what the draft holds. Raises PermissionDenied for who cannot send."""
    check_can_write(desks)
    fields = ("to", "cc", "bcc", "subject", "text", "sender", "version")
    initial = {name: getattr(draft, name) for name in fields}
    initial["sender"] = draft.sender or str(sender_at(desks, desk).pk)
    initial["answers"] = answers
    return WriteForm(initial=initial, draft=draft, senders=desks.sendable)


def sender_at(desks: Desks, desk: Desk) -> Mailbox:
    """The mailbox that a message begun at this desk leaves from, until chosen otherwise."""
    check_can_write(desks)
    return (desk if desk.can_send else desks.sendable[0]).mailbox


def started(request: HttpRequest, desks: Desks, token: UUID) -> Draft:
    """What a message is before it was ever kept: empty, or an answer to another."""
    draft = Draft(token=token)
    message = answered_message(request, desks)
    return reply_drafts.threaded(draft, message) if message else draft


def answered_message(request: HttpRequest, desks: Desks) -> Message | None:
    """The message that the posted one answers; None where it is gone meanwhile."""
    answers = request.POST.get("answers", "")
    if not (answers.isascii() and answers.isdigit() and len(answers) < 19):
        return None
    try:
        return desks.message(int(answers))[1]
    except Http404:
        return None
