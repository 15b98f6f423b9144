"""Telling endpoints what waits for them, again and again until they have heard."""

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
from api.webhooks.http_client import Gone, NotHeard
from engine import clock, metrics
from engine.registry import webhooks
from engine.registry.actions import webhooks as verbs

# After each attempt; the last one is two and a half days after the first.
WAITS = [
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=28),
]
PATIENCE = sum(WAITS, timedelta())
# One run of the job; the next one goes on.
SECONDS = 120
# Endpoints asked at once; each call takes as long as dialling lets it.
AT_ONCE = 8
KEPT = timedelta(days=30)

Post = Callable[[str, bytes, Mapping[str, str]], str]
_dice = random.SystemRandom()
log = logging.getLogger(__name__)


def deliver(post: Post = http_client.post) -> int:
    """Tell everything that is due; return how much was heard.

    At least once each, always under one id: an endpoint whose answer was lost, or was
    not written down because this process died, hears again.

    Endpoints take turns, one call each and some at once. One that does not answer is
    left alone for a while: it holds up no other, in this run or in the next.
    """
    ends_at = time.monotonic() + SECONDS
    _put_right()
    heard = 0
    asked: dict[Future[str], WebhookCall] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while True:
            while len(asked) < AT_ONCE and time.monotonic() < ends_at:
                call = _claimed({one.endpoint_id for one in asked.values()})
                if call is None:
                    break
                asked[pool.submit(_ask, call, post)] = call
            if not asked:
                break
            for answer in wait(asked, return_when=FIRST_COMPLETED).done:
                heard += _settled(asked.pop(answer), answer)
    WebhookCall.objects.filter(created_at__lt=clock.now() - KEPT).delete()
    return heard


def _put_right() -> None:
    """Bring forward what waits longer than any wait: a clock ran ahead meanwhile."""
    now = clock.now()
    WebhookCall.objects.filter(
        state=WebhookState.WAITING, next_attempt_at__gt=now + WAITS[-1] * 1.2
    ).update(next_attempt_at=now)
    endpoint_backoff.put_right()


def replay(call: WebhookCall) -> None:
    """Tell the endpoint once more, from the beginning."""
    call.state, call.attempts = WebhookState.WAITING, 0
    call.next_attempt_at = clock.now()
    call.save(update_fields=["state", "attempts", "next_attempt_at"])
    endpoint_backoff.forget_silence(call.endpoint_id)


def _claimed(busy: Collection[int]) -> WebhookCall | None:
    """A call that is due, its next attempt written down before it is made."""
    while (endpoint := endpoint_backoff.next_endpoint(busy)) is not None:
        due = endpoint_backoff.due_calls().filter(endpoint=endpoint)
        call = due.order_by("next_attempt_at", "pk").first()
        if call is None:
            continue
        again_at = clock.now() + _wait(call.attempts)
        won = WebhookCall.objects.filter(
            pk=call.pk, attempts=call.attempts, state=WebhookState.WAITING
        ).update(attempts=call.attempts + 1, next_attempt_at=again_at)
        if won:
            endpoint_backoff.note_asked(endpoint.pk)
            call.endpoint, call.attempts = endpoint, call.attempts + 1
            return call
    return None


def _wait(attempts: int) -> timedelta:
    """With jitter, so that what failed together does not come back together."""
    wait = WAITS[min(attempts, len(WAITS) - 1)]
    return wait * (0.9 + 0.2 * _dice.random())


def _ask(call: WebhookCall, post: Post) -> str:
    """In a thread of its own: nothing here may use the database."""
    body = json.dumps(call.payload, separators=(",", ":")).encode()
    return post(call.endpoint.url, body, _signed(call, body))


def _settled(call: WebhookCall, answer: Future[str]) -> bool:
    """Write down what became of a call; returns whether it was heard."""
    try:
        said = answer.result()
    except Gone as error:
        metrics.WEBHOOKS.labels("gone").inc()
        _note(call, WebhookState.FAILED, str(error))
        verbs.edit(call.endpoint, is_active=False, by=None)
        return False
    except NotHeard as error:
        _not_heard(call, str(error))
        return False
    except Exception as fault:
        log.exception("webhook call %s could not be made", call.pk)
        _not_heard(call, f"It could not be sent: {type(fault).__name__}")
        return False
    metrics.WEBHOOKS.labels("heard").inc()
    _note(call, WebhookState.DELIVERED, said)
    endpoint_backoff.note_heard(call.endpoint_id)
    return True


def _not_heard(call: WebhookCall, reply: str) -> None:
    is_last = call.attempts > len(WAITS)
    metrics.WEBHOOKS.labels("given up" if is_last else "not heard").inc()
    state = WebhookState.FAILED if is_last else WebhookState.WAITING
    _note(call, state, reply)
    if endpoint_backoff.note_silence(call.endpoint_id) > PATIENCE:
        _give_up_old(call.endpoint_id, reply)


def _give_up_old(endpoint_id: int, reply: str) -> None:
    """What waited as long as its endpoint was silent: each call would take days more."""
    old = WebhookCall.objects.filter(
        endpoint=endpoint_id,
        state=WebhookState.WAITING,
        next_attempt_at__lt=clock.now() - PATIENCE,
    )
    given_up = old.update(state=WebhookState.FAILED, last_reply=reply[:200])
    metrics.WEBHOOKS.labels("given up").inc(given_up)


def _note(call: WebhookCall, state: WebhookState, reply: str) -> None:
    WebhookCall.objects.filter(pk=call.pk).update(state=state, last_reply=reply[:200])


def _signed(call: WebhookCall, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0; while rotating, both secrets sign."""
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
