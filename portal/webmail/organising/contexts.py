"""What lists and message pages show of labels, reminders and group work."""

from __future__ import annotations

from typing import Any

from engine.storage.models import Folder, FolderRole, Message
from engine.storage.organising import labels
from engine.storage.organising import reminders as stored_reminders
from portal.webmail.access import AccessibleMailboxes
from portal.webmail.mailbox.message_list import MessagePage
from portal.webmail.organising import group_work, reminders
from portal.webmail.organising.labels import list_context
from portal.webmail.sidebar import Sidebar


def of_list(panel: Sidebar, listed: list[Message]) -> dict[str, Any]:
    """Returns the template context of a list of messages. Two queries at most."""
    return {
        "snooze_times": reminders.TIMES,
        **list_context(panel, listed),
        **group_work.list_context(panel.access),
    }


def of_folder(panel: Sidebar, folder: Folder, page: MessagePage) -> dict[str, Any]:
    """Returns the template context of a folder's page. Three queries at most."""
    found = reminders.list_context(panel, folder, page)
    listed = [row.message for row in found["page"].rows]
    return of_list(panel, listed) | found


def of_message(
    panel: Sidebar, mailboxes: AccessibleMailboxes, message: Message
) -> dict[str, Any]:
    """Returns the template context of a message's page; nothing in emergency access."""
    access = panel.access
    if access.emergency is not None:
        return {}
    of_each = labels.of_messages(panel.labels, [message])
    return {
        "labels": panel.labels,
        "message_labels": of_each.get(message.pk, []),
        "reminders": stored_reminders.of_message(message, person=mailboxes.person)
        if panel.has_reminders
        else {},
        "snooze_times": reminders.TIMES,
        "follow_up_days": reminders.DAYS,
        "is_sent": message.folder.role == FolderRole.SENT,
        "can_snooze": not message.is_draft
        and not message.folder.is_waste
        and message.folder.role != FolderRole.SENT,
        "group_work": group_work.of_message(mailboxes, access, message),
    }
