"""Speaks to push services: one encrypted, signed request (RFC 8030, RFC 8291, RFC 8292)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from http.client import HTTPException
from urllib.parse import SplitResult

import http_ece
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from django.conf import settings
from django.utils import timezone
from py_vapid import Vapid02

from engine.network.dns import DnsUnavailable
from engine.registry.errors import PolicyError
from engine.transport.pinned_http import PinnedConnection, target
from portal.webmail.models import PushSubscription
from portal.webmail.web_push import endpoints

SECONDS = 10.0  # for a whole request
AGENT = "Postern-Web-Push/1"
# How long a service keeps what it cannot hand over: a session that ended meanwhile must
# not be notified for long.
KEPT = timedelta(minutes=15)
# How long the service may use a token of ours; 24 hours are the most (RFC 8292 section 2).
TOKEN_LIFETIME = timedelta(hours=12)
# Every payload has this length, so that its own says nothing about the mailbox.
PADDED = 512
RETRIED = (408, 425, 429)


class Outcome(Enum):
    """What became of a request."""

    ACCEPTED = auto()
    GONE = auto()  # the browser has no such subscription any more
    LATER = auto()  # the service is busy, ill or away
    REFUSED = auto()  # it will not take this request, nor the next alike


@dataclass(frozen=True, slots=True)
class Answer:
    """A push service's answer. `seconds` is how long it asks us to wait."""

    outcome: Outcome
    said: str
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is ready to be sent, from any thread."""

    parts: SplitResult
    body: bytes
    headers: Mapping[str, str]


def prepare(
    subscription: PushSubscription,
    key: EllipticCurvePrivateKey,
    *,
    payload: Mapping[str, str],
    topic: str,
) -> Request:
    """Encrypts a payload for one browser, and signs the request. Raises PolicyError.

    `topic` is the same for payloads of which the service need keep only the last.
    """
    parts = endpoints.checked(subscription.endpoint)
    plain = json.dumps(payload).encode().ljust(PADDED)
    body = http_ece.encrypt(
        plain,
        private_key=generate_private_key(SECP256R1()),
        dh=endpoints.public_key(subscription.p256dh),
        auth_secret=endpoints.auth_secret(subscription.auth),
        version="aes128gcm",
    )
    claims = {
        "aud": f"https://{parts.netloc}",
        "exp": int((timezone.now() + TOKEN_LIFETIME).timestamp()),
        "sub": f"mailto:{settings.POSTERN.helpdesk_address}",
    }
    headers = {
        **Vapid02(key).sign(claims),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(KEPT.total_seconds())),
        "Topic": topic,
        "Urgency": "normal",
        "User-Agent": AGENT,
    }
    return Request(parts, body, headers)


def send(request: Request) -> Answer:
    """Sends a request, and returns what became of it. Never raises, and takes SECONDS.

    Redirects are not followed. It opens no database connection.
    """
    connection = PinnedConnection(request.parts, seconds=SECONDS)
    try:
        path = target(request.parts)
        connection.request("POST", path, request.body, dict(request.headers))
        response = connection.getresponse()
        status, after = response.status, response.headers.get("Retry-After", "")
    except (PolicyError, DnsUnavailable, OSError, HTTPException, ValueError) as error:
        return Answer(Outcome.LATER, f"no answer: {type(error).__name__}")
    finally:
        connection.close()
    said = str(status)
    if 200 <= status < 300:
        return Answer(Outcome.ACCEPTED, said)
    if status in (404, 410):
        return Answer(Outcome.GONE, said)
    if status in RETRIED or status >= 500:
        return Answer(Outcome.LATER, said, _seconds(after))
    return Answer(Outcome.REFUSED, said)


def _seconds(after: str) -> int:
    """Returns the seconds of a Retry-After; 0 for a date, which our own delay covers."""
    return int(after) if re.fullmatch(r"[0-9]{1,6}", after.strip()) else 0
