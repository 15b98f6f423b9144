"""Jobs of connecting: ids in, one call, nothing else. Each may run twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.jobs import queue
from engine.lanes import Lane
from engine.registry.actions import domains
from engine.registry.models import Connection, Domain
from engine.slices import for_each
from onboarding.connecting import actions, outcomes, rehearsing, watching
from onboarding.connecting.models import Rehearsal

MODULE = "onboarding.connecting.tasks"
# A claim that nobody proves holds the name no longer than this.
CLAIM_LIFETIME = timedelta(days=30)


def start(rehearsal: Rehearsal) -> None:
    """Have a worker run it, with the transaction that began it."""
    async_task(f"{MODULE}.rehearse", rehearsal.pk, cluster=Lane.CALLS)


def rehearse(rehearsal_id: int) -> None:
    rehearsal = Rehearsal.objects.filter(pk=rehearsal_id, finished_at=None).first()
    if rehearsal is not None:
        rehearsing.run(rehearsal)


def follow_rehearsals() -> None:
    """Finish rehearsals that nobody watches."""
    for_each(Rehearsal.objects.filter(finished_at=None), outcomes.follow)


def check_claims() -> None:
    """Drop old claims, and ask about each other one in a job of its own."""
    claims = Domain.objects.filter(verified_at=None)
    old = Q(created_at__lt=timezone.now() - CLAIM_LIFETIME)
    _check(claims.exclude(old))
    for_each(claims.filter(old), partial(domains.remove, by=None))


def check_proofs() -> None:
    """Look whether the records of proved domains are still there, each in its own job."""
    _check(Domain.objects.verified().exclude(ownership_check=None))


def _check(chosen: QuerySet[Domain]) -> None:
    """A name server that is silent keeps nobody waiting who asks about another domain."""
    ids = chosen.order_by("pk").values_list("pk", flat=True)
    queue.add_missing(f"{MODULE}.check", ids, lane=Lane.CALLS)


def check(domain_id: int) -> None:
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is not None:
        actions.check_domain(domain, by=None)


def watch_connections() -> None:
    """Look at every connection in a job of its own: a slow one keeps no other waiting."""
    ids = watching.connection_ids()
    queue.add_missing(f"{MODULE}.watch", ids, lane=Lane.CALLS)


def watch(connection_id: int) -> None:
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        watching.look(connection)


def schedule_jobs() -> None:
    """Write down what runs by the clock; doing it again changes nothing."""
    for name, kind, minutes, lane in (
        ("follow_rehearsals", Schedule.MINUTES, 1, Lane.QUICK),
        ("check_claims", Schedule.MINUTES, 15, Lane.CALLS),
        ("check_proofs", Schedule.DAILY, None, Lane.CALLS),
        ("watch_connections", Schedule.DAILY, None, Lane.CALLS),
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
