"""Sending what was promised: each notice once, again and again until it is queued."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from engine import clock
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure, TemporaryFailure
from onboarding import emails
from onboarding.models import Notice

LONGEST_WAIT = timedelta(hours=1)
KEPT = timedelta(days=30)
log = logging.getLogger(__name__)


def deliver_all() -> int:
    """Send every notice whose time has come. Returns how many were queued."""
    _put_right()
    due = Notice.objects.waiting().filter(next_attempt_at__lte=clock.now())
    return sum(_deliver(pk) for pk in list(due.values_list("pk", flat=True)))


def _put_right() -> None:
    """Bring forward what waits longer than any wait: a clock ran ahead meanwhile."""
    now = clock.now()
    late = Notice.objects.waiting().filter(next_attempt_at__gt=now + LONGEST_WAIT * 1.1)
    late.update(next_attempt_at=now)


def forget_old() -> None:
    """Drop what was sent or given up a month ago."""
    before = clock.now() - KEPT
    Notice.objects.filter(sent_at__lt=before).delete()
    Notice.objects.filter(failed_at__lt=before).delete()


def _deliver(pk: int) -> bool:
    try:
        return _send_once(pk)
    except TemporaryFailure as away:
        _put_off(pk, str(away))
    except (PermanentFailure, InvalidAddressError, ObjectDoesNotExist) as refusal:
        log.warning("notice %s cannot be sent: %s", pk, refusal)
        failed = {"failed_at": clock.now(), "problem": str(refusal)[:300]}
        Notice.objects.filter(pk=pk).update(**failed)
    return False


@transaction.atomic
def _send_once(pk: int) -> bool:
    """Queue it and mark it sent in one transaction; two workers take turns."""
    notice = Notice.objects.waiting().select_for_update().filter(pk=pk).first()
    if notice is None:
        return False
    emails.send(notice)
    notice.sent_at = clock.now()
    notice.save(update_fields=["sent_at"])
    return True


def _put_off(pk: int, problem: str) -> None:
    """Wait twice as long each time, up to an hour; the scanner comes back some day."""
    notice = Notice.objects.get(pk=pk)
    wait = min(timedelta(seconds=30) * 2 ** min(notice.attempts, 10), LONGEST_WAIT)
    notice.attempts += 1
    notice.next_attempt_at = clock.now() + wait
    notice.problem = problem[:300]
    notice.save(update_fields=["attempts", "next_attempt_at", "problem"])
