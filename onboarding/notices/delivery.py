"""Sends the notices in the outbox, with retries, each exactly once."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist

from engine.database import clock
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure, TemporaryFailure
from onboarding.models import Notice
from onboarding.notices import emails

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
# With waits that grow to an hour, 30 attempts are about a day: a fault of our own code
# that lasts as long will not go away.
MOST_FAULTS = 30
# Seconds of one run. A hanging scanner blocks the job lane for no longer than this plus
# the scan it hangs in; the remaining notices wait for the next run.
SECONDS = 20.0
KEPT = timedelta(days=30)
log = logging.getLogger(__name__)


def send_due() -> int:
    """Sends every notice that is due. Returns how many were handed to the mail queue."""
    _pull_forward_overdue()
    ends_at = time.monotonic() + SECONDS
    due = Notice.objects.waiting().filter(next_attempt_at__lte=clock.now())
    sent = 0
    for pk in list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)):
        if time.monotonic() >= ends_at:
            break
        sent += _deliver(pk)
    return sent


def _pull_forward_overdue() -> None:
    """Makes notices due that wait longer than any pause: a clock was ahead when they failed."""
    now = clock.now()
    late = Notice.objects.waiting().filter(next_attempt_at__gt=now + LONGEST_WAIT * 1.1)
    late.update(next_attempt_at=now)


def purge_old() -> None:
    """Deletes notices that were sent or given up more than KEPT ago."""
    before = clock.now() - KEPT
    Notice.objects.filter(sent_at__lt=before).delete()
    Notice.objects.filter(failed_at__lt=before).delete()


def _deliver(pk: int) -> bool:
    """Sends one notice; no failure keeps the others from being sent."""
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
    """Claims a notice by scheduling its next attempt; None if another worker has it.

    The claim is a conditional UPDATE and not a lock, because the virus scan happens
    meanwhile and on SQLite an open transaction would make all others wait. If the worker
    dies after sending, the queue recognises the second attempt by its key. The pause
    doubles with each attempt, up to LONGEST_WAIT.
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
