"""Snoozed messages and reminders of sent messages without an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from engine.storage.models import Folder, FolderRole, Message, ReminderKind
from engine.storage.organising import reminders
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.mailbox.list_options import Order, Show
from portal.webmail.mailbox.message_list import MessagePage, MessageRow
from portal.webmail.models import ScheduledSend
from portal.webmail.request_ids import parse_id
from portal.webmail.sidebar import Sidebar

# Hours at which snoozed messages come back.
MORNING, EVENING = time(8), time(18)
TIMES = {
    "evening": "This evening",
    "tomorrow": "Tomorrow morning",
    "monday": "Monday morning",
    "week": "In a week",
    "day": "On the day below",
}
DAYS = (1, 2, 3, 5, 7, 14, 30)


def choose_moment(request: HttpRequest) -> datetime:
    """Returns until when a form snoozes. Raises PolicyError with the sentence to show."""
    chosen = request.POST.get("until", "")
    today = timezone.localdate()
    if chosen == "evening":
        return _at(today, EVENING)
    if chosen == "day":
        try:
            day = parse_date(request.POST.get("day", ""))
        except ValueError:
            day = None
        if day is None:
            raise PolicyError("Choose the day on which the message comes back.")
        return _at(day, MORNING)
    days = {"tomorrow": 1, "monday": 7 - today.weekday(), "week": 7}
    if chosen not in days:
        raise PolicyError("Choose when the message comes back.")
    return _at(date.fromordinal(today.toordinal() + days[chosen]), MORNING)


def _at(day: date, clock: time) -> datetime:
    try:
        return timezone.make_aware(datetime.combine(day, clock))
    except OverflowError as refusal:
        raise PolicyError("Choose a time within the next year.") from refusal


def list_context(panel: Sidebar, folder: Folder, page: MessagePage) -> dict[str, Any]:
    """Returns the template context of a folder's page with what came back on top.

    One query at most: of what is due, or, in Snoozed, of when each message comes back.
    """
    access = panel.access
    context: dict[str, Any] = {"page": page, "snooze_times": TIMES}
    if access.emergency is not None or not panel.has_reminders:
        return context
    if folder.role == FolderRole.SNOOZED:
        listed = [row.message for row in page.rows]
        return context | {"returns_at": reminders.times_of(listed)}
    options = page.options
    is_plain = options.order is Order.NEWEST and options.show is Show.ALL
    if page.has_previous or not is_plain or options.sender or not _can_return(folder):
        return context
    due = reminders.due(access.mailbox, person=panel.mailboxes.person)
    returned = [
        one.message
        for one in due
        if one.kind == ReminderKind.SNOOZE and one.message.folder_id == folder.pk
    ]
    if returned:
        context["page"] = _with_returned(page, returned)
        context["returned"] = {message.pk for message in returned}
    if folder.role == FolderRole.INBOX:
        context["unanswered"] = [
            one for one in due if one.kind == ReminderKind.FOLLOW_UP
        ]
    return context


def _can_return(folder: Folder) -> bool:
    return folder.takes_messages and not folder.is_waste


def _with_returned(page: MessagePage, returned: list[Message]) -> MessagePage:
    ids = {message.pk for message in returned}
    rest = [row for row in page.rows if row.message.pk not in ids]
    return replace(page, rows=[*map(MessageRow, returned), *rest])


@requires_mail
@require_POST
def follow_up(request: HttpRequest, message_id: int) -> HttpResponse:
    """Reminds the person if nobody has answered a sent message after some days."""
    mailboxes = accessible_mailboxes(request)
    _, message = mailboxes.writable_message(message_id)
    try:
        reminders.follow_up(
            message,
            days=chosen_days(request) or 3,
            by=mailboxes.person,
            leaves_at=ScheduledSend.objects.leaving_of(message),
        )
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "You will be reminded if nobody answers.")
    return redirect("webmail:read", message_id=message.pk)


def chosen_days(request: HttpRequest) -> int:
    """Returns after how many days a form wants a reminder; 0 for none."""
    days = parse_id(request.POST.get("follow_up", ""))
    return days if days in DAYS else 0


@requires_mail
@require_POST
def end(request: HttpRequest, mailbox_id: int, reminder_id: int) -> HttpResponse:
    """Ends a reminder; a message that is still snoozed comes back now."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    rows = reminders.shown_to(mailboxes.person).select_related("folder", "mailbox")
    reminder = get_object_or_404(rows, pk=reminder_id, mailbox=access.mailbox)
    reminders.cancel(reminder)
    messages.success(request, "Reminder removed.")
    return redirect("webmail:mailbox", mailbox_id=access.mailbox.pk)
