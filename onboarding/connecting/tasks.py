"""Jobs of connecting: ids in, one call, nothing else. Each may run twice."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from engine.lanes import Lane
from engine.registry.actions import domains
from engine.registry.models import Connection, Domain
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
    for rehearsal in Rehearsal.objects.filter(finished_at=None):
        outcomes.follow(rehearsal)


def check_claims() -> None:
    """Ask about each domain that is claimed and not yet proved; drop old claims."""
    claims = Domain.objects.filter(verified_at=None)
    for domain in claims:
        if timezone.now() - domain.created_at > CLAIM_LIFETIME:
            domains.remove(domain, by=None)
        else:
            actions.check_domain(domain, by=None)


def check_proofs() -> None:
    """Look whether the records of proved domains are still there."""
    for domain in Domain.objects.verified().exclude(ownership_check=None):
        actions.check_domain(domain, by=None)


def watch_connections() -> None:
    """Look at every connection in a job of its own: a slow one keeps no other waiting."""
    for pk in watching.connection_ids():
        async_task(f"{MODULE}.watch", pk, cluster=Lane.CALLS)


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
