"""One request of the compose page: who writes, from which mailbox, on which draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from engine.linked_files import sending
from engine.linked_files.models import LinkedFile
from engine.mail.composer import Attachment
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage.models import Message
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
)
from portal.webmail.compose import reply_drafts
from portal.webmail.compose.forms import WriteForm
from portal.webmail.compose.send_message import OutgoingMessage
from portal.webmail.drafts import attachments, draft_store, pictures
from portal.webmail.drafts.draft import Draft
from portal.webmail.models import DraftFile, WritingPreferences
from portal.webmail.request_ids import parse_id

EditDraft = Callable[[Draft], Draft]

NO_RIGHT = "You may read this mailbox, but not send from it."


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """A draft as last saved (`kept`), with the form that was posted over it."""

    mailboxes: AccessibleMailboxes
    access: MailboxAccess
    kept: Draft
    form: WriteForm
    checks_version: bool = False

    @property
    def home(self) -> Mailbox | None:
        """The mailbox that stores the draft; None if the person cannot save drafts."""
        access = self.mailboxes.drafts_access(self.access)
        return access.mailbox if access else None

    @property
    def files(self) -> list[DraftFile]:
        """The attachments stored with the draft."""
        if self.home is None:
            return []
        rows = DraftFile.objects.of(self.home, self.kept.token)
        return list(rows.select_related("content"))

    @property
    def linked(self) -> list[LinkedFile]:
        """The files that are sent as links."""
        if self.home is None:
            return []
        return list(LinkedFile.objects.of_draft(self.home, self.kept.token))

    def check_linked(self, files: Sequence[LinkedFile]) -> None:
        """Adds errors where the posted page did not show these files, and no others.

        An upload may have ended after it was cancelled, or in another window.
        """
        data = self.form.data
        shown = data.getlist("linked") if isinstance(data, QueryDict) else []
        errors = [
            f"A file was added meanwhile: {file.name}. Check whether it is for these "
            "recipients, remove it if not, and send the message again"
            for file in files
            if str(file.pk) not in shown
        ]
        errors += [
            f"{file.name} cannot be sent any more. Remove it, or add it again"
            for file in files
            if file.ended_at is not None
        ]
        if set(shown) - {str(file.pk) for file in files}:
            errors.append(
                "A file that was to be sent as a link was removed meanwhile. Check the "
                "files, and send the message again"
            )
        for error in errors:
            self.form.add_error("attachments", error)

    def unlink(self, do: str) -> None:
        """Removes a file that was to be sent as a link, where a button asks for that."""
        file_id = parse_id(do.removeprefix("unlink-"))
        if self.home is not None and do.startswith("unlink-") and file_id is not None:
            sending.remove(file_id, mailbox=self.home, token=self.kept.token)

    def attached(self, *, is_rich: bool) -> list[DraftFile]:
        """The files beside the text; plain text shows no pictures, so all of them."""
        return [one for one in self.files if not (one.is_picture and is_rich)]

    @property
    def preferences(self) -> WritingPreferences:
        """How the person writes."""
        return WritingPreferences.objects.of(self.mailboxes.person)

    @property
    def file_sizes(self) -> list[int]:
        """Size of each attachment in octets."""
        if self.home is None:
            return [len(one.data) for one in self.unsaved_files]
        return [one.size for one in self.files if not one.is_picture]

    @property
    def unsaved_files(self) -> list[Attachment]:
        """Attachments posted with the message by people who cannot save drafts."""
        if self.home is not None:
            return []
        return [
            Attachment(one.name, one.content_type, b"".join(one.chunks))
            for one in self.form.uploads()
        ]

    def draft_url(self, draft: Draft) -> str:
        """Returns the path of the draft's compose page."""
        return reverse("webmail:draft", args=[self.access.mailbox.pk, draft.token])

    def with_posted(self, posted: QueryDict) -> ComposeRequest:
        """Returns the same request with text posted before the person signed in again."""
        form = WriteForm(
            posted,
            draft=self.kept,
            senders=self.mailboxes.sendable,
            pictures=pictures.sources(self.home, self.kept.token) if self.home else {},
        )
        return replace(self, form=form, checks_version="version" in posted)

    def outgoing(
        self, edited: Draft, recipients: Recipients, linked: Sequence[LinkedFile]
    ) -> OutgoingMessage:
        """Returns the message to send, with the linked files that its author has seen."""
        return OutgoingMessage(
            draft=edited,
            recipients=recipients,
            sender=self.form.sender_mailbox,
            drafts=self.home,
            wait=self.preferences.wait,
            send_at=self.form.leaves_at,
            extra_attachments=self.unsaved_files,
            linked=linked,
        )

    def save(self, edit: EditDraft | None = None) -> Draft:
        """Saves the form's contents. Raises DraftConflictError, having saved nothing.

        `edit` changes the draft before it is saved. Without a mailbox for drafts,
        returns the draft unsaved.
        """
        edited = self.form.edited()
        if edit is not None:
            edited = edit(edited)
        if self.home is None:
            return edited
        sender = self.form.sender_mailbox
        if not self.checks_version:
            return draft_store.save(edited, mailbox=self.home, sender=sender)
        version = self.form.cleaned_data.get("version")
        return draft_store.save_over(
            edited, version=version, mailbox=self.home, sender=sender
        )

    def save_as_new_draft(self) -> Draft:
        """Saves the form's contents as a separate draft, after a conflict."""
        edited = self.form.edited()
        if self.home is None:
            return replace(edited, token=uuid4(), version=None)
        return draft_store.fork(
            edited, mailbox=self.home, sender=self.form.sender_mailbox
        )

    def add_files(self) -> None:
        """Stores the posted attachments; refusals become errors of the form."""
        if self.home is None:
            return
        for upload in self.form.uploads():
            try:
                attachments.add(
                    upload,
                    mailbox=self.home,
                    token=self.kept.token,
                    by=self.mailboxes.person,
                )
            except PolicyError as error:
                self.form.add_error("attachments", str(error))
        draft_store.update_attachment_flag(self.kept.token, mailbox=self.home)


def load_compose_request(
    request: HttpRequest, mailbox_id: int, token: UUID
) -> ComposeRequest:
    """Loads what a request is about.

    Raises Http404 for a mailbox that the person may not read, and PermissionDenied if
    they may send from none.
    """
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    check_can_send(mailboxes)
    home = mailboxes.drafts_access(access)
    kept = draft_store.find(home.mailbox, token) if home else None
    if request.method != "POST":
        shown = kept or Draft(token=token)
        return ComposeRequest(
            mailboxes, access, shown, compose_form(mailboxes, access, shown)
        )
    draft = kept or new_draft(request, mailboxes, token)
    form = WriteForm(
        request.POST,
        request.FILES,
        draft=draft,
        senders=mailboxes.sendable,
        pictures=pictures.sources(home.mailbox, token)
        if home and request.POST.get("html")
        else {},
    )
    return ComposeRequest(mailboxes, access, draft, form, "version" in request.POST)


def check_can_send(mailboxes: AccessibleMailboxes) -> None:
    """Raises PermissionDenied if the person may send from no mailbox."""
    if not mailboxes.sendable:
        raise PermissionDenied(NO_RIGHT)


def compose_form(
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    draft: Draft,
    *,
    answers: int | None = None,
) -> WriteForm:
    """Returns the form filled in from a draft. Raises like `check_can_send`."""
    check_can_send(mailboxes)
    fields = ("to", "cc", "bcc", "subject", "text", "sender", "send_at", "version")
    initial = {name: getattr(draft, name) for name in fields}
    initial["sender"] = draft.sender or str(default_sender(mailboxes, access).pk)
    initial["answers"] = answers
    return WriteForm(initial=initial, draft=draft, senders=mailboxes.sendable)


def default_sender(mailboxes: AccessibleMailboxes, access: MailboxAccess) -> Mailbox:
    """Returns the mailbox that a message is sent from unless another is chosen."""
    check_can_send(mailboxes)
    return (access if access.can_send else mailboxes.sendable[0]).mailbox


def new_draft(
    request: HttpRequest, mailboxes: AccessibleMailboxes, token: UUID
) -> Draft:
    """Returns a draft that was never saved: empty, or a reply."""
    draft = Draft(token=token)
    message = answered_message(request, mailboxes)
    return reply_drafts.threaded(draft, message) if message else draft


def answered_message(
    request: HttpRequest, mailboxes: AccessibleMailboxes
) -> Message | None:
    """Returns the message that the posted one answers; None if it is gone."""
    message_id = parse_id(request.POST.get("answers", ""))
    if message_id is None:
        return None
    try:
        return mailboxes.message(message_id)[1]
    except Http404:
        return None
