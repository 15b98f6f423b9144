"""Prepares a restored database before any process serves it.

Between the backup and the restore the service went on, and what it did then is unknown.
So nothing that may have left already leaves again by itself, nothing that was given out
then means something else now, and what was valid then for a moment is not valid again.
"""

from __future__ import annotations

from datetime import datetime

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F, Q

from engine.backups import signals
from engine.backups.models import Problem, Restore
from engine.blobs.models import DeletionPause
from engine.database import clock
from engine.health.models import Alarm, Duty, Heartbeat
from engine.queue.models import Hold, PendingNotice, Recipient, RecipientStatus
from engine.queue.notifications import pending_notices
from engine.registry.models import Person
from engine.routing.facts import RouteKind
from engine.storage.models import AutomaticMail, MaildropLock
from engine.storage.models.automatic_mail import FAULT_LENGTH
from engine.trace import event_log
from engine.trace.models import EventKind

# Ids that were given out after the backup are skipped: mail programs know messages by
# them (UIDL), and clients of the API everything else. Far more than a service that makes
# a backup each day uses until the next one.
SKIPPED_IDS = 1_000_000_000
OWN = ("engine", "onboarding", "api", "portal")
# What needs no other server. It is delivered here, into mailboxes that are as old as the
# queue.
LOCAL = Q(destination__startswith=RouteKind.MAILBOX.value) | Q(
    destination__startswith=RouteKind.BOUNCES.value
)
BATCH = 1_000


@transaction.atomic
def prepare(name: str, taken_at: datetime) -> Restore:
    """Prepares the database that was restored from a backup, and returns the record.

    In one transaction: if it fails, nothing of it is done.
    """
    reason = (
        f"Held after a restore: it may have been sent already, because the backup is of "
        f"{taken_at:%-d %B %Y, %H:%M} UTC."
    )
    made = Restore.objects.create(name=name, taken_at=taken_at, began_at=clock.now())
    _skip_ids()
    _forget_processes()
    _write_notices()
    _hold_outgoing(reason)
    _set_aside_automatic_mail(reason)
    models.QuerySet(Person).update(session_generation=F("session_generation") + 1)
    signals.restored.send(Restore, taken_at=taken_at)
    return made


def held_count() -> int:
    """Returns how many recipients wait for an operator because of a restore."""
    return Recipient.objects.filter(hold=Hold.RESTORE).count()


def _forget_processes() -> None:
    """Ends the leases, heartbeats and alarms of processes that no longer exist."""
    Recipient.objects.filter(status=RecipientStatus.QUEUED).exclude(
        leased_until=None
    ).update(leased_until=None, leased_by="")
    for model in (DeletionPause, Duty, Heartbeat, MaildropLock, Problem):
        model._default_manager.all().delete()
    Alarm.objects.open().delete()


def _write_notices() -> None:
    """Writes the notices that were due, so that they are held with the other mail."""
    PendingNotice.objects.update(due_at=clock.now())
    left = PendingNotice.objects.count()
    while left:
        pending_notices.send_due()
        before, left = (
            left,
            PendingNotice.objects.filter(due_at__lte=clock.now()).count(),
        )
        if left >= before:
            break


def _hold_outgoing(reason: str) -> None:
    """Holds what leaves this service, or did while it was suspended.

    Also what a suspension held: it may have been released since.
    """
    outgoing = Recipient.objects.exclude(LOCAL).filter(
        Q(status=RecipientStatus.QUEUED)
        | Q(status=RecipientStatus.HELD, hold=Hold.SUSPENSION)
    )
    rows = outgoing.values_list("pk", "message__reference", "address").order_by("pk")
    while some := list(rows[:BATCH]):
        Recipient.objects.filter(pk__in=[pk for pk, _, _ in some]).update(
            status=RecipientStatus.HELD,
            hold=Hold.RESTORE,
            deferral_id=None,
            last_reply=reason,
        )
        event_log.save(
            event_log.event(reference, EventKind.HELD, address, reason=reason)
            for _, reference, address in some
        )


def _set_aside_automatic_mail(reason: str) -> None:
    """Keeps forwards and automatic replies back until `retry_automatic_mail`."""
    AutomaticMail.objects.filter(set_aside_at=None).update(
        set_aside_at=clock.now(), fault=reason[:FAULT_LENGTH]
    )


def _skip_ids() -> None:
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if model.__module__.startswith(OWN)
        and isinstance(model._meta.pk, models.BigAutoField)
    ]
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(sequence, nextval(sequence) + %s)"
                    " FROM pg_get_serial_sequence(%s, 'id') AS sequence",
                    [SKIPPED_IDS, table],
                )
                continue
            cursor.execute(
                "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s",
                [SKIPPED_IDS, table],
            )
            if not cursor.rowcount:
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)",
                    [table, SKIPPED_IDS],
                )
