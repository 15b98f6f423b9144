"""Sends the pushes that are due: one for each mailbox, however many messages came."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse

from engine.database import clock
from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.permissions import Permission
from engine.secrets import secret_keys
from engine.signing import keys
from engine.signing.models import Purpose
from engine.storage.models import Folder, FolderRole, Message
from portal.webmail.access import AccessibleMailboxes
from portal.webmail.models import PushedMailbox, PushSubscription
from portal.webmail.web_push import push_service, subscriptions
from portal.webmail.web_push.push_service import Answer, Outcome, Request

log = logging.getLogger(__name__)

# The least time between two pushes for one mailbox to one browser.
SPACING = timedelta(minutes=2)
# After each attempt that failed; the last one for all that follow, with jitter.
RETRY_DELAYS = [timedelta(minutes=minutes) for minutes in (1, 3, 10, 30, 120, 360)]
LONGEST_WAIT = timedelta(days=1)
# After so many refusals in a row a subscription is given up.
REFUSALS = 5
# Due rows looked at in one run of the job, and the seconds after which it starts no other
# request: what is left is due a minute later.
LIMIT = 500
RUN_SECONDS = 40
CONCURRENCY = 8
# After so many requests in a row that one push service did not take, a run sends it no
# other: they would fail as well, and take the time of those to other services.
FAILURES = 5
# Where mail arrives, by itself or by a rule.
FOLDERS = (FolderRole.INBOX, FolderRole.CUSTOM)
TOPIC = "webmail.push_topic"

Send = Callable[[Request], Answer]
_random = random.SystemRandom()


@dataclass(slots=True)
class _Batch:
    """The requests to one browser, which are sent one after another."""

    subscription: PushSubscription
    due_at: datetime
    requests: list[tuple[PushedMailbox, Request]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """The push service, by the name and port that are dialled."""
        return self.requests[0][1].parts.netloc


class _Hosts:
    """The requests to each push service that failed one after another, in one run."""

    def __init__(self) -> None:
        self._failed: Counter[str] = Counter()
        self._lock = Lock()

    def is_out(self, host: str) -> bool:
        """Whether the service gets no other request in this run."""
        with self._lock:
            return self._failed[host] >= FAILURES

    def note(self, host: str, answer: Answer) -> None:
        """Counts a failure, or begins again."""
        with self._lock:
            is_failure = answer.outcome == Outcome.LATER
            self._failed[host] = self._failed[host] + 1 if is_failure else 0


def send_due(send: Send = push_service.send) -> int:
    """Sends each push that is due; returns how many were accepted.

    A push is sent at least once: one that follows because a process died replaces the
    first in the browser, as both have one tag. Its next attempt is recorded before it is
    made, so that of two workers one makes it. A service that does not answer delays the
    browsers of others by the time of one request at most. A browser that was not tried
    stays as it was, and is due in the next run.
    """
    hosts = _Hosts()
    ends_at = time.monotonic() + RUN_SECONDS
    accepted = 0
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="push") as pool:
        waiting: dict[Future[list[Answer]], _Batch] = {}
        for batch in _batches():
            waiting[pool.submit(_send_all, batch, send, hosts, ends_at)] = batch
        for done in as_completed(waiting):
            accepted += _record(waiting[done], done.result())
    return accepted


def _batches() -> Iterator[_Batch]:
    """Yields what is due and still wanted, each browser claimed."""
    key = keys.current(Purpose.WEB_PUSH)
    private = keys.ecdsa_key(key)
    now = clock.now()
    due = (
        PushedMailbox.objects.filter(arrived_to__gt=F("announced_to"))
        .filter(Q(pushed_at=None) | Q(pushed_at__lte=now - SPACING))
        .filter(subscription__next_attempt_at__lte=now)
        .filter(subscription__key_id=key.key_id)
        .filter(subscription__in=PushSubscription.objects.live())
        .select_related("subscription__person__organisation")
        .order_by("subscription__next_attempt_at", "pk")
    )
    rows: defaultdict[int, list[PushedMailbox]] = defaultdict(list)
    for row in due[:LIMIT]:
        rows[row.subscription_id].append(row)
    for found in rows.values():
        batch = _batch(found, private)
        if batch.requests and _claim(batch.subscription):
            yield batch


def _batch(rows: list[PushedMailbox], key: EllipticCurvePrivateKey) -> _Batch:
    """Returns the requests for one browser; mail that needs none is passed."""
    subscription = rows[0].subscription
    person = subscription.person
    readable = {}
    if _may_be_pushed(subscription):
        held = AccessibleMailboxes(person).readable
        readable = {one.mailbox.pk: one.mailbox for one in held}
    batch = _Batch(subscription, subscription.next_attempt_at)
    for row in rows:
        mailbox = readable.get(row.mailbox_id)
        if mailbox is None or not _has_new(row):
            PushedMailbox.objects.filter(
                pk=row.pk, announced_to=row.announced_to
            ).update(announced_to=row.arrived_to)
            continue
        payload = {
            "title": f"New mail for {mailbox.name}",
            "tag": f"mailbox-{mailbox.pk}",
            "url": reverse("webmail:mailbox", args=[mailbox.pk]),
        }
        topic = secret_keys.mac(TOPIC, f"{subscription.pk} {mailbox.pk}")[:32]
        try:
            request = push_service.prepare(
                subscription, key, payload=payload, topic=topic
            )
        except PolicyError as refusal:
            # Of a push service that the operator no longer allows.
            log.warning("no push to %s: %s", subscription, refusal)
            subscription.delete()
            return _Batch(subscription, subscription.next_attempt_at)
        batch.requests.append((row, request))
    return batch


def _may_be_pushed(subscription: PushSubscription) -> bool:
    person = subscription.person
    return (
        not person.is_mail_shut
        and Permission.USE_MAIL in permissions.held_by(person)
        and not subscriptions.refusal(person)
    )


def _has_new(row: PushedMailbox) -> bool:
    """Returns whether unread mail has come that was not announced. By folder: an index."""
    folders = Folder.objects.filter(mailbox=row.mailbox_id, role__in=FOLDERS)
    return Message.objects.filter(
        folder__in=folders.values("pk"),
        pk__gt=row.announced_to,
        pk__lte=row.arrived_to,
        is_read=False,
    ).exists()


def _claim(subscription: PushSubscription) -> bool:
    rows = PushSubscription.objects.filter(
        pk=subscription.pk,
        attempts=subscription.attempts,
        next_attempt_at=subscription.next_attempt_at,
    )
    subscription.next_attempt_at = clock.now() + _delay(subscription.attempts)
    subscription.attempts += 1
    return bool(
        rows.update(
            attempts=subscription.attempts,
            next_attempt_at=subscription.next_attempt_at,
        )
    )


def _delay(attempts: int) -> timedelta:
    delay = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS) - 1)]
    return delay * (0.9 + 0.2 * _random.random())


def _send_all(batch: _Batch, send: Send, hosts: _Hosts, ends_at: float) -> list[Answer]:
    """Sends the requests to one browser until one is not accepted. Opens no database."""
    answers: list[Answer] = []
    for _, request in batch.requests:
        if time.monotonic() > ends_at or hosts.is_out(batch.host):
            break
        try:
            answers.append(send(request))
        except Exception as fault:
            # Of one browser alone: the others get theirs.
            log.exception("a push could not be sent")
            answers.append(Answer(Outcome.LATER, type(fault).__name__))
        hosts.note(batch.host, answers[-1])
        if answers[-1].outcome != Outcome.ACCEPTED:
            break
    return answers


def _record(batch: _Batch, answers: list[Answer]) -> int:
    """Records the answers of one browser's service; returns how many accepted."""
    accepted = 0
    now = clock.now()
    for (row, _), answer in zip(batch.requests, answers, strict=False):
        if answer.outcome == Outcome.ACCEPTED:
            accepted += 1
            rows = PushedMailbox.objects.filter(pk=row.pk)
            rows.update(announced_to=row.arrived_to, pushed_at=now)
    mine = PushSubscription.objects.filter(pk=batch.subscription.pk)
    if not answers:
        before = batch.subscription.attempts - 1
        mine.update(attempts=before, next_attempt_at=batch.due_at)
        return 0
    last = answers[-1]
    if last.outcome == Outcome.ACCEPTED:
        mine.update(attempts=0, next_attempt_at=now)
        return accepted
    log.warning("push to %s: %s", batch.subscription, last.said)
    is_given_up = batch.subscription.attempts >= REFUSALS
    if last.outcome == Outcome.GONE or (
        last.outcome == Outcome.REFUSED and is_given_up
    ):
        mine.delete()
    elif last.seconds:
        asked = min(timedelta(seconds=last.seconds), LONGEST_WAIT)
        wait = max(batch.subscription.next_attempt_at, now + asked)
        mine.update(next_attempt_at=wait)
    return accepted


def is_on() -> bool:
    """Returns whether the operator lets the service send pushes at all."""
    return bool(settings.POSTERN.web_push)
