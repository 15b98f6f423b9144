"""Jobs that a mailbox's holder asked for."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.backend import ServiceMessage
from engine.jobs import queue
from engine.lanes import Lane
from engine.storage import rules
from engine.storage.exports import mailbox_export
from engine.storage.models import Export, ExportStatus, Folder, Rule
from portal.webmail.drafts import attachments


def start_export(export_id: int) -> None:
    async_task("portal.webmail.tasks.write_export", export_id, cluster=Lane.LONG)


def write_export(export_id: int) -> None:
    """Write the next slice; what is left is a job of its own, behind others that wait."""
    row = Export.objects.select_related("mailbox", "folder", "person").get(pk=export_id)
    if row.status in mailbox_export.UNFINISHED and mailbox_export.write(row):
        start_export(export_id)
    row.refresh_from_db()
    if row.status == ExportStatus.READY:
        # Again where an earlier run died before it: the queue knows the notice.
        _notify_export_ready(row)


def start_rule(rule_id: int, folder_id: int, after: int = 0) -> None:
    async_task(
        "portal.webmail.tasks.run_rule", rule_id, folder_id, after, cluster=Lane.LONG
    )


def run_rule(rule_id: int, folder_id: int, after: int = 0) -> None:
    """Apply a rule to the next messages; what is left is a job of its own."""
    rule = Rule.objects.filter(pk=rule_id).select_related("folder").first()
    folder = Folder.objects.filter(pk=folder_id).first()
    if rule is None or folder is None:
        return
    left = rules.run_slice(rule, folder, after=after)
    if left is not None:
        start_rule(rule_id, folder_id, left)


def look_after_exports() -> int:
    """Begin stalled exports again and remove old copies; runs by schedule."""
    stalled = mailbox_export.sweep()
    return queue.add_missing(
        "portal.webmail.tasks.write_export", stalled, lane=Lane.LONG
    )


def sweep_files() -> int:
    """Remove what drafts left behind; doing it again changes nothing."""
    return attachments.sweep()


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    Schedule.objects.update_or_create(
        name="webmail.look_after_exports",
        defaults={
            "func": "portal.webmail.tasks.look_after_exports",
            "schedule_type": Schedule.MINUTES,
            "minutes": 15,
            "cluster": Lane.LONG,
        },
    )
    Schedule.objects.update_or_create(
        name="webmail.sweep_files",
        defaults={
            "func": "portal.webmail.tasks.sweep_files",
            "schedule_type": Schedule.DAILY,
            "cluster": Lane.LONG,
        },
    )


def _notify_export_ready(export: Export) -> None:
    """Tell whoever holds the mailbox that a copy of it was made, and who asked."""
    path = reverse("webmail:exports", args=[export.mailbox_id])
    context = {
        "export": export,
        "link": urljoin(settings.POSTERN.site_url, path),
        "community_name": settings.POSTERN.community_name,
    }
    body = render_to_string("webmail/email/export_ready.txt", context)
    subject = f"{settings.POSTERN.community_name}: a copy of your mailbox"
    message = ServiceMessage(subject, body, to=[export.mailbox.address])
    # An export is made once: whatever job finds it ready, the notice is the same.
    message.key = f"export-{export.pk}"
    message.send()
