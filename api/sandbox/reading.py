"""Shows the sandbox's messages to test keys, in the form of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth.caller import Caller
from api.framework.viewsets import Resource
from api.models import SandboxCopy, SandboxMessage
from api.sandbox import outcomes
from engine.database import clock
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.mime.parts import Part
from engine.mail.reading import reader
from engine.registry.models import Mailbox
from engine.storage import addressees
from engine.storage.mailbox_delivery import summary_of
from engine.storage.models import Folder, FolderRole, Message
from engine.trace.models import Event

V = TypeVar("V", bound=Resource)
Handler = Callable[..., Response]


def sandboxed(instead: Handler) -> Callable[[Handler], Handler]:
    """Decorates a handler to be replaced by another for test keys."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def by_mode(
            view: Resource, request: Request, *args: Any, **kwargs: Any
        ) -> Response:
            chosen = instead if view.caller.is_test else handler
            return chosen(view, request, *args, **kwargs)

        return by_mode

    return decorate


# A page reads each message whole, and one may have five megabytes.
MOST_SHOWN = 20


def copies(caller: Caller) -> QuerySet[SandboxCopy]:
    """Returns the messages that a test key sees: those of its organisation's sandbox."""
    rows = SandboxCopy.objects.select_related("message", "mailbox")
    return rows.filter(mailbox__in=caller.sandbox_mailboxes())


def copy_of(caller: Caller, pk: int) -> SandboxCopy:
    """Returns one of them. Raises Http404."""
    found: SandboxCopy = get_object_or_404(copies(caller), pk=pk)
    return found


def content_of(copy: SandboxCopy) -> tuple[bytes, bytes]:
    """Returns header and body."""
    return split(bytes(copy.message.raw))


def as_messages(copies: Sequence[SandboxCopy]) -> list[Message]:
    """Returns unsaved messages with what lists show of each.

    Their mailboxes have folders since they were sent.
    """
    folders = {
        (one.mailbox_id, one.role): one
        for one in Folder.objects.filter(
            mailbox__in={copy.mailbox_id for copy in copies}, role__in=SHOWN_IN
        )
    }
    return [_as_message(copy, folders[copy.mailbox_id, _role(copy)]) for copy in copies]


SHOWN_IN = (FolderRole.INBOX, FolderRole.SENT)


def _role(copy: SandboxCopy) -> FolderRole:
    return FolderRole.SENT if copy.is_sent else FolderRole.INBOX


def _as_message(copy: SandboxCopy, folder: Folder) -> Message:
    header, _ = content_of(copy)
    summary = summary_of(header)
    return Message(
        pk=copy.pk,
        mailbox=copy.mailbox,
        folder=folder,
        received_at=copy.message.created_at,
        from_name=summary.from_name,
        from_address=summary.from_address,
        to_summary=summary.to_summary,
        subject=summary.subject,
        message_id=summary.message_id,
        reference=copy.message.reference,
        size=len(copy.message.raw),
        is_read=copy.is_sent,
    )


def addressees_of(rows: Sequence[SandboxCopy]) -> dict[int, addressees.Addressees]:
    """Returns the first recipients of each, by its id."""
    return {
        row.pk: addressees.read(
            HeaderBlock.salvage(content_of(row)[0]), shown=addressees.COUNTED
        )
        for row in rows
    }


def page(
    mailbox: Mailbox,
    query: dict[str, Any],
    *,
    before: int | None,
    after: int | None,
) -> tuple[list[SandboxCopy], bool]:
    """Returns one page of a mailbox, newest first, and whether another follows.

    Nothing is indexed: a search finds nothing.
    """
    rows = SandboxCopy.objects.filter(mailbox=mailbox).select_related(
        "message", "mailbox"
    )
    if "q" in query:
        rows = rows.none()
    elif "reference" in query:
        rows = rows.filter(message__reference=query["reference"].upper())
    elif query["folder"] in SHOWN_IN:
        rows = rows.filter(is_sent=query["folder"] == FolderRole.SENT)
    else:
        rows = rows.none()
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    limit = min(query["limit"], MOST_SHOWN)
    found = [*rows.order_by("-pk" if after is None else "pk")[: limit + 1]]
    shown = found[:limit]
    return shown if after is None else shown[::-1], len(found) > limit


def part_of(copy: SandboxCopy, path: str) -> tuple[str, Part]:
    """Returns the name and the part at a path. Raises Http404."""
    part = reader.part_at(*content_of(copy), path)
    if part is None:
        raise Http404
    return reader.name_of(part), part


def steps_of(message: SandboxMessage) -> list[Event]:
    """Returns what has happened to a message by now."""
    now = clock.now()
    return [event for event in outcomes.events(message) if event.at <= now]


def steps_of_reference(caller: Caller, reference: str) -> list[Event]:
    """Returns what has happened to a message of the caller's sandbox. Raises Http404."""
    rows = SandboxMessage.objects.filter(organisation=caller.organisation).defer("raw")
    message = get_object_or_404(
        rows if caller.is_test else rows.none(), reference=reference
    )
    return steps_of(message)
