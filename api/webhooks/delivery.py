"""Telling endpoints what waits for them, again and again until they have heard."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from api.models import WebhookCall, WebhookState
from api.webhooks import dialling
from api.webhooks.dialling import Gone, NotHeard
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
# One run of the job; the next one goes on.
SECONDS = 120
KEPT = timedelta(days=30)

Post = Callable[[str, bytes, Mapping[str, str]], str]
_dice = random.SystemRandom()


def deliver(post: Post = dialling.post) -> int:
    """Tell everything that is due; return how much was heard.

    At least once each, always under one id: an endpoint whose answer was lost, or was
    not written down because this process died, hears again.

    An endpoint that did not answer is asked no more in this run: it would hold up the
    others.
    """
    ends_at = time.monotonic() + SECONDS
    _put_right()
    silent: set[int] = set()
    heard = 0
    while time.monotonic() < ends_at:
        call = _claimed(silent)
        if call is None:
            break
        if _tell(call, post):
            heard += 1
        else:
            silent.add(call.endpoint_id)
    WebhookCall.objects.filter(created_at__lt=clock.now() - KEPT).delete()
    return heard


def _put_right() -> None:
    """Bring forward what waits longer than any wait: a clock ran ahead meanwhile."""
    now = clock.now()
    WebhookCall.objects.filter(
        state=WebhookState.WAITING, next_attempt_at__gt=now + WAITS[-1] * 1.2
    ).update(next_attempt_at=now)


def replay(call: WebhookCall) -> None:
    """Tell the endpoint once more, from the beginning."""
    call.state, call.attempts = WebhookState.WAITING, 0
    call.next_attempt_at = clock.now()
    call.save(update_fields=["state", "attempts", "next_attempt_at"])


def _claimed(silent: set[int]) -> WebhookCall | None:
    """The next call that is due, its next attempt written down before it is made."""
    due = WebhookCall.objects.filter(
        state=WebhookState.WAITING,
        next_attempt_at__lte=clock.now(),
        endpoint__is_active=True,
    ).exclude(endpoint__in=silent)
    while True:
        call = due.select_related("endpoint").order_by("next_attempt_at").first()
        if call is None:
            return None
        again_at = clock.now() + _wait(call.attempts)
        won = WebhookCall.objects.filter(
            pk=call.pk, attempts=call.attempts, state=WebhookState.WAITING
        ).update(attempts=call.attempts + 1, next_attempt_at=again_at)
        if won:
            call.attempts += 1
            return call


def _wait(attempts: int) -> timedelta:
    """With jitter, so that what failed together does not come back together."""
    wait = WAITS[min(attempts, len(WAITS) - 1)]
    return wait * (0.9 + 0.2 * _dice.random())


def _tell(call: WebhookCall, post: Post) -> bool:
    body = json.dumps(call.payload, separators=(",", ":")).encode()
    try:
        answer = post(call.endpoint.url, body, _signed(call, body))
    except Gone as error:
        metrics.WEBHOOKS.labels("gone").inc()
        _note(call, WebhookState.FAILED, str(error))
        verbs.edit(call.endpoint, is_active=False, by=None)
        return False
    except NotHeard as error:
        is_last = call.attempts > len(WAITS)
        metrics.WEBHOOKS.labels("given up" if is_last else "not heard").inc()
        state = WebhookState.FAILED if is_last else WebhookState.WAITING
        _note(call, state, str(error))
        return False
    metrics.WEBHOOKS.labels("heard").inc()
    _note(call, WebhookState.DELIVERED, answer)
    return True


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
