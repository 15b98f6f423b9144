"""Background jobs of webmail: exports, rules, attachments, notices of new mail.

The dotted paths of these functions are stored in django-q2's tables, so they must not
change between releases.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.email_backend import ServiceMessage
from engine.jobs import queue
from engine.lanes import Lane
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import rules
from engine.storage.exports import mailbox_export
from engine.storage.models import Export, ExportStatus, Folder, Rule
from engine.storage.organising import answers, archive, reminders
from portal.webmail.arrival_notices import (
    arrivals,
    emails,
    sending,
    weekly_digest,
)
from portal.webmail.drafts import attachments
from portal.webmail.web_push import sending as push_sending
from portal.webmail.web_push import subscriptions as push_subscriptions

# The functions of this module that run by themselves: how often, the minutes where it is
# by minutes, and the lane.
JOBS: dict[str, tuple[str, int | None, Lane]] = {
    "look_after_exports": (Schedule.MINUTES, 15, Lane.LONG),
    "sweep_files": (Schedule.DAILY, None, Lane.LONG),
    "wake_reminders": (Schedule.MINUTES, 1, Lane.QUICK),
    "clean_up_organising": (Schedule.HOURLY, None, Lane.LONG),
    "send_arrival_notices": (Schedule.MINUTES, 1, Lane.QUICK),
    # The lane of what calls hosts that may not answer.
    "send_pushes": (Schedule.MINUTES, 1, Lane.CALLS),
    "clean_up_pushes": (Schedule.DAILY, None, Lane.LONG),
    "send_unopened_digests": (Schedule.HOURLY, None, Lane.LONG),
}


def start_export(export_id: int) -> None:
    """Queues the next slice of an export."""
    async_task("portal.webmail.tasks.write_export", export_id, cluster=Lane.LONG)


def write_export(export_id: int) -> None:
    """Writes one slice of an export, and queues the next behind other waiting jobs."""
    row = Export.objects.select_related("mailbox", "folder", "person").get(pk=export_id)
    if row.status in mailbox_export.UNFINISHED and mailbox_export.write(row):
        start_export(export_id)
    row.refresh_from_db()
    if row.status == ExportStatus.READY:
        # Sent again if an earlier run died here; its key makes the queue keep one.
        _notify_export_ready(row)


def start_rule(rule_id: int, folder_id: int, after: int = 0) -> None:
    """Queues a rule for the messages of a folder with an id above `after`."""
    async_task(
        "portal.webmail.tasks.run_rule", rule_id, folder_id, after, cluster=Lane.LONG
    )


def run_rule(rule_id: int, folder_id: int, after: int = 0) -> None:
    """Applies a rule to one slice of a folder, and queues the next."""
    rule = Rule.objects.filter(pk=rule_id).select_related("folder").first()
    folder = Folder.objects.filter(pk=folder_id).first()
    if rule is None or folder is None:
        return
    left = rules.run_slice(rule, folder, after=after)
    if left is not None:
        start_rule(rule_id, folder_id, left)


def start_archiving(folder_id: int, before: datetime, after: int = 0) -> None:
    """Queues archiving of a folder's messages that arrived before a moment."""
    async_task(
        "portal.webmail.tasks.archive_older",
        folder_id,
        before.isoformat(),
        after,
        cluster=Lane.LONG,
    )


def archive_older(folder_id: int, before: str, after: int = 0) -> None:
    """Archives one slice of a folder, and queues the next.

    Tells the holders of the mailbox where it ends early.
    """
    folder = Folder.objects.filter(pk=folder_id).select_related("mailbox").first()
    if folder is None:
        return
    moment = datetime.fromisoformat(before)
    try:
        left = archive.archive_slice(folder, before=moment, by_year=True, after=after)
    except PolicyError as refusal:
        _notify_archiving_ended(folder, before, str(refusal))
        return
    if left is not None:
        start_archiving(folder_id, moment, left)


def wake_reminders() -> int:
    """Brings back what was snoozed, and reminds of unanswered mail. Idempotent."""
    return reminders.wake()


def clean_up_organising() -> int:
    """Deletes reminders that are over, and answers that were abandoned. Idempotent."""
    return reminders.clean_up() + answers.clean_up()


def look_after_exports() -> int:
    """Restarts stalled exports and deletes old ones; returns how many restarted."""
    stalled = mailbox_export.clean_up()
    return queue.add_missing(
        "portal.webmail.tasks.write_export", stalled, lane=Lane.LONG
    )


def sweep_files() -> int:
    """Deletes orphaned attachments of drafts and returns how many. Idempotent."""
    return attachments.delete_orphans()


def send_arrival_notices() -> int:
    """Sends the notices of new mail that are due; returns how many. Idempotent."""
    arrivals.find()
    return sending.send_due()


def send_pushes() -> int:
    """Notifies browsers of new mail, where that is due; returns how many. Idempotent."""
    if not push_sending.is_on():
        return 0
    arrivals.find()
    return push_sending.send_due()


def clean_up_pushes() -> int:
    """Deletes subscriptions of browsers that were not used for long. Idempotent."""
    return push_subscriptions.clean_up()


def send_unopened_digests() -> int:
    """Sends the weekly digests of unopened group mailboxes that are due. Idempotent."""
    return weekly_digest.send_due()


def start_proof_link(person: Person) -> None:
    """Queues the link that proves an everyday address."""
    async_task("portal.webmail.tasks.send_proof_link", person.pk)


def send_proof_link(person_id: int) -> None:
    """Sends the link to the everyday address that the person has now."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is not None and person.everyday_address:
        emails.send_proof_link(person)


def schedule_jobs() -> None:
    """Registers the scheduled jobs. Idempotent; runs after every migration."""
    for name, (schedule_type, minutes, lane) in JOBS.items():
        Schedule.objects.update_or_create(
            name=f"webmail.{name}",
            defaults={
                "func": f"portal.webmail.tasks.{name}",
                "schedule_type": schedule_type,
                "minutes": minutes,
                "cluster": lane,
            },
        )


def _notify_archiving_ended(folder: Folder, before: str, reason: str) -> None:
    """Tells a mailbox why a folder was not archived to its end."""
    context = {
        "folder": folder,
        "reason": reason,
        "community_name": settings.POSTERN.community_name,
    }
    body = render_to_string("webmail/email/archiving_ended.txt", context)
    subject = f"{settings.POSTERN.community_name}: not all messages were archived"
    message = ServiceMessage(subject, body, to=[folder.mailbox.address])
    # One notice for each request, also where the job runs again.
    message.key = f"archiving-{folder.pk}-{before}"
    message.send()


def _notify_export_ready(export: Export) -> None:
    """Notifies the owner of the mailbox that it was exported, and by which person."""
    path = reverse("webmail:exports", args=[export.mailbox_id])
    context = {
        "export": export,
        "link": urljoin(settings.POSTERN.site_url, path),
        "community_name": settings.POSTERN.community_name,
    }
    body = render_to_string("webmail/email/export_ready.txt", context)
    subject = f"{settings.POSTERN.community_name}: a copy of your mailbox"
    message = ServiceMessage(subject, body, to=[export.mailbox.address])
    # One notice for each export, whichever run of the job sends it.
    message.key = f"export-{export.pk}"
    message.send()
