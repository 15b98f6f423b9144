"""Delivers webhook calls, and retries each until its endpoint accepts it."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from api.models import WebhookCall, WebhookState
from api.webhooks import endpoint_backoff, http_client
from api.webhooks.http_client import Gone, NotAccepted
from engine.database import clock
from engine.observability import metrics
from engine.registry import webhooks
from engine.registry.actions import webhooks as verbs

# The delay after each attempt; the last attempt comes two and a half days after the first.
RETRY_DELAYS = [
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=28),
]
RETRY_PERIOD = sum(RETRY_DELAYS, timedelta())
# Seconds after which one run of the job starts no further call; the next run goes on.
RUN_SECONDS = 120
# Endpoints called at the same time; each call takes up to http_client.SECONDS.
CONCURRENCY = 8
RETENTION = timedelta(days=30)

Post = Callable[[str, bytes, Mapping[str, str]], str]
_random = random.SystemRandom()
log = logging.getLogger(__name__)


def deliver(post: Post = http_client.post) -> int:
    """Makes every call that is due, and returns how many were accepted.

    A call is delivered at least once, always under the same `webhook-id`: an endpoint
    whose reply was lost, or not recorded because this process died, gets it again.

    Each endpoint has one call in progress at most, and several endpoints are called at
    the same time. An endpoint that does not answer is paused, so that it holds up no
    other, in this run or the next.
    """
    ends_at = time.monotonic() + RUN_SECONDS
    _repair_after_clock_change()
    accepted = 0
    in_progress: dict[Future[str], WebhookCall] = {}
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="webhook") as pool:
        while True:
            while len(in_progress) < CONCURRENCY and time.monotonic() < ends_at:
                call = _claim_next({one.endpoint_id for one in in_progress.values()})
                if call is None:
                    break
                in_progress[pool.submit(_make_call, call, post)] = call
            if not in_progress:
                break
            for answer in wait(in_progress, return_when=FIRST_COMPLETED).done:
                accepted += _record_outcome(in_progress.pop(answer), answer)
    WebhookCall.objects.filter(created_at__lt=clock.now() - RETENTION).delete()
    return accepted


def _repair_after_clock_change() -> None:
    """Makes calls due that wait longer than any delay: a clock ran ahead meanwhile."""
    now = clock.now()
    WebhookCall.objects.filter(
        state=WebhookState.WAITING, next_attempt_at__gt=now + RETRY_DELAYS[-1] * 1.2
    ).update(next_attempt_at=now)
    endpoint_backoff.end_impossible_pauses()


def replay(call: WebhookCall) -> None:
    """Enqueues a call again with all its attempts, and ends its endpoint's pause."""
    call.state, call.attempts = WebhookState.WAITING, 0
    call.next_attempt_at = clock.now()
    call.save(update_fields=["state", "attempts", "next_attempt_at"])
    endpoint_backoff.end_pause(call.endpoint_id)


def _claim_next(busy: Collection[int]) -> WebhookCall | None:
    """Returns a due call, with its next attempt recorded before this one is made.

    A process that dies during the call has therefore scheduled the retry already. The
    condition on `attempts` lets one of two workers win.
    """
    while (endpoint := endpoint_backoff.next_endpoint(busy)) is not None:
        due = endpoint_backoff.due_calls().filter(endpoint=endpoint)
        call = due.order_by("next_attempt_at", "pk").first()
        if call is None:
            continue
        again_at = clock.now() + _delay_after(call.attempts)
        won = WebhookCall.objects.filter(
            pk=call.pk, attempts=call.attempts, state=WebhookState.WAITING
        ).update(attempts=call.attempts + 1, next_attempt_at=again_at)
        if won:
            endpoint_backoff.record_attempt(endpoint.pk)
            call.endpoint, call.attempts = endpoint, call.attempts + 1
            return call
    return None


def _delay_after(attempts: int) -> timedelta:
    """Returns the delay with jitter, so that calls that failed together spread out."""
    delay = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS) - 1)]
    return delay * (0.9 + 0.2 * _random.random())


def _make_call(call: WebhookCall, post: Post) -> str:
    # In a thread of the pool, which must not open a database connection.
    body = json.dumps(call.payload, separators=(",", ":")).encode()
    return post(call.endpoint.url, body, _signature_headers(call, body))


def _record_outcome(call: WebhookCall, answer: Future[str]) -> bool:
    """Records the outcome of a call; returns whether it was accepted."""
    try:
        reply = answer.result()
    except Gone as error:
        metrics.WEBHOOKS.labels("gone").inc()
        _update(call, WebhookState.FAILED, str(error))
        # The endpoint asked for it by 410; an administrator can enable it again.
        verbs.edit(call.endpoint, is_active=False, by=None)
        return False
    except NotAccepted as error:
        _record_failure(call, str(error))
        return False
    except Exception as fault:
        log.exception("webhook call %s could not be made", call.pk)
        _record_failure(call, f"The call could not be made: {type(fault).__name__}")
        return False
    metrics.WEBHOOKS.labels("heard").inc()
    _update(call, WebhookState.DELIVERED, reply)
    endpoint_backoff.record_success(call.endpoint_id)
    return True


def _record_failure(call: WebhookCall, reply: str) -> None:
    is_last = call.attempts > len(RETRY_DELAYS)
    metrics.WEBHOOKS.labels("given up" if is_last else "not heard").inc()
    state = WebhookState.FAILED if is_last else WebhookState.WAITING
    _update(call, state, reply)
    if endpoint_backoff.record_failure(call.endpoint_id) > RETRY_PERIOD:
        _give_up_old_calls(call.endpoint_id, reply)


def _give_up_old_calls(endpoint_id: int, reply: str) -> None:
    """Gives up calls that have waited for the whole period in which the endpoint failed.

    A paused endpoint is called so rarely that each of them would take days more.
    """
    old = WebhookCall.objects.filter(
        endpoint=endpoint_id,
        state=WebhookState.WAITING,
        next_attempt_at__lt=clock.now() - RETRY_PERIOD,
    )
    given_up = old.update(state=WebhookState.FAILED, last_reply=reply[:200])
    metrics.WEBHOOKS.labels("given up").inc(given_up)


def _update(call: WebhookCall, state: WebhookState, reply: str) -> None:
    WebhookCall.objects.filter(pk=call.pk).update(state=state, last_reply=reply[:200])


def _signature_headers(call: WebhookCall, body: bytes) -> dict[str, str]:
    """Returns the headers of Standard Webhooks 1.0.

    For a day after a rotation both secrets sign, so that the receiver can change over.
    """
    now, name = timezone.now(), f"msg_{call.pk}"
    signatures = [
        Webhook(webhooks.secret(sealed)).sign(name, now, body.decode())
        for sealed in call.endpoint.sealed_secrets(now)
    ]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
