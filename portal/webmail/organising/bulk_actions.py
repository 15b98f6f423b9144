"""Acts on the selected messages of any list: assigns, labels, snoozes, archives.

The buttons stand in the form of the list, and send it here by `formaction`.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.storage import message_actions
from engine.storage.models import Message
from engine.storage.organising import archive, assignments, labels, reminders
from engine.storage.standard_folders import folder as folder_of
from portal.ui import date_formats
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox import waiting_messages
from portal.webmail.mailbox.message_actions import (
    MARK_ACTIONS,
    MOVE_ACTIONS,
    SELECTION_LIMIT,
    count_phrase,
    selected_ids,
)
from portal.webmail.organising.group_work import choose_assignee
from portal.webmail.organising.labels import chosen_label
from portal.webmail.organising.reminders import choose_moment

Action = Callable[[HttpRequest, AccessibleMailboxes, MailboxAccess, list[Message]], str]


@requires_mail
@require_POST
def act(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Performs one action on the selected messages, and returns to their list."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    name = request.POST.get("organise", "")
    if name not in (*ACTIONS, *MARK_ACTIONS, *MOVE_ACTIONS):
        raise Http404
    chosen = _selected_messages(request, access)
    if not chosen:
        messages.warning(request, "Choose at least one message first.")
        return redirect(back(request, access))
    try:
        if name in ACTIONS:
            done = ACTIONS[name](request, mailboxes, access, chosen)
        else:
            done = perform(name, chosen)
        messages.success(request, done)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    return redirect(back(request, access))


def back(request: HttpRequest, access: MailboxAccess) -> str:
    """Returns the path of the list that was acted on, else of the mailbox."""
    place = request.POST.get("back", "")[:2000]
    is_ours = place.startswith(reverse("webmail:folder")) and "/live/" not in place
    if is_ours and url_has_allowed_host_and_scheme(place, allowed_hosts=None):
        return place
    return reverse("webmail:mailbox", args=[access.mailbox.pk])


def perform(name: str, chosen: list[Message]) -> str:
    """Marks or moves messages of one mailbox, as the buttons of a folder do.

    Returns what was done. Drafts are moved to Deleted only. Raises PolicyError for what
    may not be deleted yet.
    """
    if name in MARK_ACTIONS:
        words, change = MARK_ACTIONS[name]
        change(chosen)
        return count_phrase(len(chosen), words)
    mailbox = chosen[0].mailbox
    movable = [one for one in chosen if name == "delete" or not one.is_draft]
    if name == "archive":
        by_year = archive.is_by_year(mailbox)
        moved = archive.archive(mailbox, movable, by_year=by_year)
        names = ", ".join(sorted(one.name for one in moved))
        return count_phrase(len(movable), f"moved to {names or 'Archive'}")
    target = folder_of(mailbox, MOVE_ACTIONS[name])
    if target.is_waste:
        waiting_messages.check_have_left(movable)
    message_actions.move(movable, target)
    return count_phrase(len(movable), f"moved to {target.name}")


def _selected_messages(request: HttpRequest, access: MailboxAccess) -> list[Message]:
    """Returns the selected messages, with their conversations if rows show those."""
    rows = Message.objects.filter(mailbox=access.mailbox, pk__in=selected_ids(request))
    chosen = list(rows.select_related("folder", "mailbox")[:SELECTION_LIMIT])
    if not request.POST.get("gathers") or not chosen:
        return chosen
    whole = Message.objects.filter(
        folder__in={one.folder_id for one in chosen},
        thread__in={one.thread for one in chosen},
    )
    return list(whole.select_related("folder", "mailbox")[:SELECTION_LIMIT])


def _assign(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    if not access.is_group:
        raise Http404
    to = choose_assignee(request, mailboxes, access)
    count = assignments.assign(access.mailbox, chosen, to=to, by=mailboxes.person)
    return count_phrase(count, f"assigned to {to.name if to else 'nobody'}")


def _put_label_on(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    label = chosen_label(request, access)
    labels.put_on(label, chosen)
    return count_phrase(len(chosen), f"labelled {label.name}")


def _take_label_off(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    label = chosen_label(request, access)
    labels.take_off(label, chosen)
    return count_phrase(len(chosen), f"without the label {label.name}")


def _snooze(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    until = choose_moment(request)
    count = reminders.snooze(access.mailbox, chosen, until=until, by=mailboxes.person)
    return count_phrase(count, f"snoozed until {date_formats.format_datetime(until)}")


def _archive_by_year(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    chosen: list[Message],
) -> str:
    movable = [one for one in chosen if not one.is_draft]
    moved = archive.archive(access.mailbox, movable, by_year=True)
    names = ", ".join(sorted(target.name for target in moved))
    return count_phrase(len(movable), f"moved to {names or 'Archive'}")


ACTIONS: dict[str, Action] = {
    "assign": _assign,
    "label": _put_label_on,
    "unlabel": _take_label_off,
    "snooze": _snooze,
    "archive_by_year": _archive_by_year,
}
