"""Background jobs of connections. Each may safely run twice.

Queued jobs and schedules in the database name these functions by path: keep the names.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.database.batches import for_each
from engine.jobs import queue
from engine.lanes import Lane
from engine.registry.actions import domains
from engine.registry.models import Connection, Domain
from engine.transport import sts_policies
from onboarding.connecting import (
    actions,
    next_hop_monitor,
    rehearsal_outcomes,
    rehearsals,
    waiting_for_tls,
)
from onboarding.connecting.models import Rehearsal

MODULE = "onboarding.connecting.tasks"
# An unverified claim blocks a domain name for no longer than this.
CLAIM_LIFETIME = timedelta(days=30)


def start(rehearsal: Rehearsal) -> None:
    """Queues the rehearsal, in the transaction that created it."""
    async_task(f"{MODULE}.rehearse", rehearsal.pk, cluster=Lane.CALLS)


def rehearse(rehearsal_id: int) -> None:
    """Job: runs a rehearsal, unless it has finished."""
    rehearsal = Rehearsal.objects.filter(pk=rehearsal_id, finished_at=None).first()
    if rehearsal is not None:
        rehearsals.run(rehearsal)


def follow_rehearsals() -> None:
    """Scheduled job: updates and finishes rehearsals, even if no page follows them."""
    for_each(Rehearsal.objects.filter(finished_at=None), rehearsal_outcomes.update)


def check_claims() -> None:
    """Scheduled job: removes old unverified domains, and queues a check of the others."""
    claims = Domain.objects.filter(verified_at=None)
    old = Q(created_at__lt=timezone.now() - CLAIM_LIFETIME)
    _check(claims.exclude(old))
    for_each(claims.filter(old), partial(domains.remove, by=None))


def check_proofs() -> None:
    """Scheduled job: queues a check that each verified domain still has its record."""
    _check(Domain.objects.verified().exclude(ownership_check=None))


def _check(chosen: QuerySet[Domain]) -> None:
    """Queues one job per domain, so that a silent name server delays no other domain."""
    ids = chosen.order_by("pk").values_list("pk", flat=True)
    queue.add_missing(f"{MODULE}.check", ids, lane=Lane.CALLS)


def check(domain_id: int) -> None:
    """Job: checks the ownership record of a domain."""
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is not None:
        actions.check_domain(domain, by=None)


def watch_connections() -> None:
    """Scheduled job: queues a check of each connection's next hop.

    One job per connection, so that a slow server delays no other.
    """
    ids = next_hop_monitor.connection_ids()
    queue.add_missing(f"{MODULE}.watch", ids, lane=Lane.CALLS)


def watch(connection_id: int) -> None:
    """Job: checks a connection's next hop."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        next_hop_monitor.check(connection)


def refresh_policies() -> None:
    """Scheduled job: queues a look at the MTA-STS policy of each domain that has mail."""
    ids = Domain.objects.verified().filter(
        organisation__connections__in=next_hop_monitor.connection_ids()
    )
    chosen = ids.order_by("pk").values_list("pk", flat=True).distinct()
    queue.add_missing(f"{MODULE}.refresh_policy", chosen, lane=Lane.CALLS)


def refresh_policy(domain_id: int) -> None:
    """Job: looks at a domain's MTA-STS policy, and fetches it where that is due."""
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is not None:
        sts_policies.refresh(domain)


def watch_waiting_mail() -> None:
    """Scheduled job: queues a look at each server whose TLS mail waits for."""
    failing, warned = waiting_for_tls.connection_ids(), waiting_for_tls.warned_ids()
    for name, ids in (
        ("warn_of_waiting_mail", failing - warned),
        ("forget_waiting_mail", warned - failing),
    ):
        queue.add_missing(f"{MODULE}.{name}", sorted(ids), lane=Lane.CALLS)


def warn_of_waiting_mail(connection_id: int) -> None:
    """Job: tells an organisation that mail waits for its server, and why."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        waiting_for_tls.warn(connection)


def forget_waiting_mail(connection_id: int) -> None:
    """Job: looks again at a server that no mail waits for any more."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        waiting_for_tls.forget(connection)


def schedule_jobs() -> None:
    """Registers the scheduled jobs. Idempotent."""
    for name, kind, minutes, lane in (
        ("follow_rehearsals", Schedule.MINUTES, 1, Lane.QUICK),
        ("check_claims", Schedule.MINUTES, 15, Lane.CALLS),
        ("check_proofs", Schedule.DAILY, None, Lane.CALLS),
        ("watch_connections", Schedule.DAILY, None, Lane.CALLS),
        ("watch_waiting_mail", Schedule.MINUTES, 1, Lane.QUICK),
        ("refresh_policies", Schedule.HOURLY, None, Lane.CALLS),
    ):
        Schedule.objects.update_or_create(
            name=f"connecting.{name}",
            defaults={
                "func": f"{MODULE}.{name}",
                "schedule_type": kind,
                "minutes": minutes,
                "cluster": lane,
            },
        )
