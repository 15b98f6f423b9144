"""Starts and stops scanning again what arrived lately, with the signatures of today."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from engine.antivirus.scanners import coverage_proof
from engine.audit.record import record as audit
from engine.database import clock
from engine.incidents.models import Rescan, RescanState
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.queue.notifications import service_notices
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage.models import Content

JOB = "engine.incidents.tasks.run_rescan"
MOST_DAYS = 90
DONE = """\
What arrived since {since:%d %B %Y} has been scanned again.

Scanned: {scanned} messages
Infected: {infected}
Copies withdrawn from mailboxes: {copies}
Recipients held in the queue: {stopped}

The holders of the mailboxes have been notified. Details are in the console under Re-scans.
"""


@transaction.atomic
def start(*, days: int, by: Person) -> Rescan:
    """Starts a re-scan of what arrived in the last days. Raises PolicyError."""
    if not 1 <= days <= MOST_DAYS:
        raise PolicyError(f"Enter a number of days between 1 and {MOST_DAYS}.")
    if not coverage_proof.in_use():
        raise PolicyError("No virus scanner is in use, so nothing can be scanned.")
    if Rescan.objects.filter(state=RescanState.RUNNING).exists():
        raise PolicyError("A re-scan is running. Wait until it is done, or stop it.")
    newest = Content.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    made = Rescan.objects.create(
        since=clock.now() - timedelta(days=days),
        signatures=coverage_proof.signatures()[:500],
        started_by_id=by.pk,
        started_by=str(by)[:320],
        newest=newest,
        position=newest + 1,
    )
    detail = {"days": days, "signatures": made.signatures}
    audit("rescan.started", made, organisation_key="", detail=detail, by=by)
    jobs.add(JOB, made.pk, lane=Lane.LONG)
    return made


@transaction.atomic
def stop(rescan: Rescan, *, by: Person) -> None:
    """Stops a re-scan; what it withdrew stays withdrawn. Raises PolicyError."""
    locked = Rescan.objects.select_for_update().get(pk=rescan.pk)
    if locked.state != RescanState.RUNNING:
        raise PolicyError("This re-scan is not running.")
    _end(locked, RescanState.STOPPED)
    audit("rescan.stopped", locked, organisation_key="", detail={}, by=by)


def finish(rescan: Rescan) -> None:
    """Records the end and notifies the operators. In the caller's transaction."""
    _end(rescan, RescanState.DONE)
    detail = {
        "scanned": rescan.scanned,
        "infected": rescan.infected,
        "copies": rescan.copies,
    }
    audit("rescan.done", rescan, organisation_key="", detail=detail, by=None)
    text = DONE.format(**detail, since=rescan.since, stopped=rescan.stopped)
    notify_operators("Delivered mail has been scanned again", text)


def notify_operators(subject: str, text: str) -> None:
    """Queues a notice to each operator."""
    for address in set(service_notices.alert_recipients(None)):
        service_notices.send_notice(address, subject=subject, text=text)


def newer_signatures() -> str:
    """Returns the versions in use where the last re-scan had others; empty if the same.

    Empty too where no scanner tells its version, as the embedded one.
    """
    now = coverage_proof.signatures()[:500]
    last = Rescan.objects.exclude(state=RescanState.STOPPED).first()
    return "" if last is not None and last.signatures == now else now


def _end(rescan: Rescan, state: RescanState) -> None:
    rescan.state, rescan.finished_at, rescan.fault = state, clock.now(), ""
    rescan.save(update_fields=["state", "finished_at", "fault"])
