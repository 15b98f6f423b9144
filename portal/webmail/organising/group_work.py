"""Work on a message of a group mailbox: its assignee, internal notes and history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage.models import NOTE_LENGTH, Message
from engine.storage.organising import assignments, notes, shared_work
from engine.storage.organising.shared_work import SharedWork
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.request_ids import parse_id

FORMER_MEMBER = "a former member"


@dataclass(frozen=True, slots=True)
class GroupWork:
    """What the page of a message in a group mailbox shows of the members' work."""

    work: SharedWork
    assignee: str
    is_mine: bool
    note_length: int = NOTE_LENGTH


def of_message(
    mailboxes: AccessibleMailboxes, access: MailboxAccess, message: Message
) -> GroupWork | None:
    """Records that a member opens the message, and returns the members' work on it.

    Returns None for a message that is in no group mailbox.
    """
    if not access.is_group or access.emergency is not None:
        return None
    work = shared_work.open_message(message, by=mailboxes.person)
    return GroupWork(
        work,
        assignee=names_of(work.members).get(message.assigned_to, FORMER_MEMBER)
        if message.assigned_to
        else "",
        is_mine=message.assigned_to == mailboxes.person.pk,
    )


def names_of(members: list[Person]) -> dict[int, str]:
    """Returns the names of members by their ids."""
    return {person.pk: person.name for person in members}


def list_context(access: MailboxAccess) -> dict[str, Any]:
    """Returns the template context for the assignees of a list. One query at most."""
    if not access.is_group or access.emergency is not None:
        return {}
    found = assignments.members(access.mailbox)
    return {"members": found, "assignees": names_of(found)}


def choose_assignee(
    request: HttpRequest, mailboxes: AccessibleMailboxes, access: MailboxAccess
) -> Person | None:
    """Returns the member that the form names; None for nobody. Raises Http404."""
    chosen = request.POST.get("assignee", "")
    if chosen == "nobody":
        return None
    if chosen == "me":
        return mailboxes.person
    person_id = parse_id(chosen)
    for person in assignments.members(access.mailbox):
        if person.pk == person_id:
            return person
    raise Http404


@requires_mail
@require_POST
def assign(request: HttpRequest, message_id: int) -> HttpResponse:
    """Assigns the conversation of a message to a member, or to nobody."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.group_message(message_id)
    to = choose_assignee(request, mailboxes, access)
    try:
        assignments.assign(access.mailbox, [message], to=to, by=mailboxes.person)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(
            request, f"Assigned to {to.name}." if to else "Assigned to nobody."
        )
    return redirect("webmail:read", message_id=message.pk)


@requires_mail
@require_POST
def add_note(request: HttpRequest, message_id: int) -> HttpResponse:
    """Adds an internal note to a message."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.group_message(message_id)
    text = request.POST.get("note", "")
    try:
        notes.add(access.mailbox, message, text=text, by=mailboxes.person)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "Note added.")
    return redirect(reverse("webmail:read", args=[message.pk]) + "#group-work")


@requires_mail
@require_POST
def delete_note(request: HttpRequest, message_id: int, note_id: int) -> HttpResponse:
    """Deletes an internal note of the person's own."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.group_message(message_id)
    if not notes.remove(access.mailbox, note_id, by=mailboxes.person):
        raise Http404
    messages.success(request, "Note deleted.")
    return redirect(reverse("webmail:read", args=[message.pk]) + "#group-work")
