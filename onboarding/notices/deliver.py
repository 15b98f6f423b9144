"""Sending what was promised: each notice once, again and again until it is queued."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist

from engine import clock
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure, TemporaryFailure
from onboarding import emails
from onboarding.models import Notice

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
# A fault of our own that a day of attempts did not pass will not pass.
MOST_FAULTS = 30
# One run of the job. A scanner that hangs holds the lane no longer than this and the
# scan that it hangs in; the others go out in the next run.
SECONDS = 20.0
KEPT = timedelta(days=30)
log = logging.getLogger(__name__)


def deliver_all() -> int:
    """Send every notice whose time has come. Returns how many were queued."""
    _put_right()
    ends_at = time.monotonic() + SECONDS
    due = Notice.objects.waiting().filter(next_attempt_at__lte=clock.now())
    sent = 0
    for pk in list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)):
        if time.monotonic() >= ends_at:
            break
        sent += _deliver(pk)
    return sent


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
    """Send one; whatever happens to it, the others are sent."""
    notice = _claimed(pk)
    if notice is None:
        return False
    try:
        emails.send(notice)
    except TemporaryFailure as away:
        _note(notice, str(away))
    except (PermanentFailure, InvalidAddressError, ObjectDoesNotExist) as refusal:
        _give_up(notice, str(refusal))
    except Exception as fault:
        log.exception("notice %s could not be sent", pk)
        problem = f"{type(fault).__name__}: {fault}"
        if notice.attempts < MOST_FAULTS:
            _note(notice, problem)
        else:
            _give_up(notice, problem)
    else:
        Notice.objects.filter(pk=pk).update(sent_at=clock.now())
        return True
    return False


def _claimed(pk: int) -> Notice | None:
    """The notice, its next attempt written down before this one is made.

    No transaction is held while it is scanned: on SQLite all others would wait. Of two
    workers one takes it; where that dies before it is marked as sent, the queue knows
    the notice again. Waits twice as long each time, up to an hour.
    """
    notice = Notice.objects.waiting().filter(pk=pk).first()
    if notice is None:
        return None
    now = clock.now()
    wait = min(FIRST_WAIT * 2 ** min(notice.attempts, 10), LONGEST_WAIT)
    won = Notice.objects.waiting().filter(
        pk=pk, attempts=notice.attempts, next_attempt_at__lte=now
    )
    if not won.update(attempts=notice.attempts + 1, next_attempt_at=now + wait):
        return None
    notice.attempts += 1
    return notice


def _note(notice: Notice, problem: str) -> None:
    Notice.objects.filter(pk=notice.pk).update(problem=problem[:300])


def _give_up(notice: Notice, problem: str) -> None:
    log.warning("notice %s cannot be sent: %s", notice.pk, problem)
    given_up = {"failed_at": clock.now(), "problem": problem[:300]}
    Notice.objects.filter(pk=notice.pk).update(**given_up)
