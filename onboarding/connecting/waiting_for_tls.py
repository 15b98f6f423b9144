"""Tells an organisation within minutes that mail waits because its server's TLS fails."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from engine.queue.delivery import due_recipients
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection
from onboarding.connecting import emails, next_hop_monitor
from onboarding.connecting.models import Watch

# Since the first failure. A server that is being restarted has TLS again by then.
PATIENCE = timedelta(minutes=3)
KIND = "connection:"


def connection_ids() -> set[int]:
    """Returns the ids of connections for whose TLS mail has waited for PATIENCE.

    One that took mail meanwhile is left out: another of our engines reaches it.
    """
    since = timezone.now() - PATIENCE
    waiting = Recipient.objects.filter(
        status=RecipientStatus.QUEUED,
        tls_failures__gt=1,
        tls_failing_since__lte=since,
        destination__startswith=KIND,
    ).order_by()
    names = set(waiting.values_list("destination", flat=True).distinct())
    names -= due_recipients.served_since(since, names)
    return {int(name.removeprefix(KIND)) for name in names}


def warned_ids() -> set[int]:
    """Returns the ids of connections whose people know that mail waits."""
    warned = Watch.objects.exclude(warned_of_waiting_at=None)
    return set(warned.values_list("connection_id", flat=True))


def warn(connection: Connection) -> None:
    """Looks at the server, and tells the administrators once what is wrong with it.

    Tells nobody where the server is well by now: the mail goes out with its next attempt.
    Runs outside transactions, as `next_hop_monitor.check` does, and for the same reason.
    """
    watch = next_hop_monitor.check(connection)
    if watch.warned_of_waiting_at or not watch.fault:
        return
    began = watch.failing_since or watch.looked_at
    emails.warn_of_waiting_mail(
        connection, watch.fault, key=f"tls-{connection.pk}-{began.timestamp():.6f}"
    )
    watch.warned_of_waiting_at = timezone.now()
    watch.save(update_fields=["warned_of_waiting_at"])


def forget(connection: Connection) -> None:
    """Looks at the server again; the next failure of its TLS is told again."""
    next_hop_monitor.check(connection)
    Watch.objects.filter(connection=connection).update(warned_of_waiting_at=None)
