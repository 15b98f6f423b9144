"""Subscribes browsers, renews them at the next sign-in, and removes them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction

from engine.audit.record import record
from engine.database import clock
from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.registry.permissions import Permission
from engine.signing import keys
from engine.signing.models import Purpose
from engine.storage.models import Message
from portal.webmail.models import PushedMailbox, PushSubscription
from portal.webmail.web_push import endpoints

# Browsers of one person; the one not renewed for longest makes way.
MOST = 10
# How long a browser may renew its subscription after the session in which it was used.
DORMANT = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser gave, and the session that it is signed in with."""

    endpoint: str
    p256dh: str
    auth: str
    session_id: str
    name: str


def refusal(person: Person) -> str:
    """Returns why the person cannot have notifications; empty where they can."""
    if not settings.POSTERN.web_push:
        return (
            "This service does not send notifications to browsers while your mail is "
            "closed. The people who run it can switch that on, if it has a way to the "
            "internet."
        )
    organisation = person.organisation
    if organisation is not None and not organisation.allows_web_push:
        return (
            f"{organisation.name} does not allow notifications in browsers while your "
            "mail is closed. Its administrators can change that."
        )
    return ""


def check_can_be_pushed(person: Person) -> None:
    """Raises PolicyError where the service or the organisation sends none."""
    if why := refusal(person):
        raise PolicyError(why)
    permissions.check(person, Permission.USE_MAIL)


def application_server_key() -> str:
    """Returns our public key as browsers take it (RFC 8292 section 3.2), in base64url."""
    private = keys.ecdsa_key(keys.current(Purpose.WEB_PUSH))
    point = private.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    return endpoints.encoded(point)


def live_of(person: Person) -> list[PushSubscription]:
    """Returns the person's browsers that are notified, the latest first."""
    return list(
        PushSubscription.objects.live()
        .filter(person=person, key_id=keys.current(Purpose.WEB_PUSH).key_id)
        .order_by("-renewed_at", "-pk")
    )


@transaction.atomic
def subscribe(
    person: Person, browser: Browser, *, mailboxes: Collection[Mailbox]
) -> PushSubscription:
    """Has a browser notified of new mail in mailboxes. Raises PolicyError.

    Of the mailboxes the caller has checked that the person may read them; each push
    checks it again. A browser belongs to the person who asked last.
    """
    check_can_be_pushed(person)
    endpoints.checked(browser.endpoint)
    # Decoding passes over what is no base64url: only what it found is stored.
    p256dh = endpoints.encoded(endpoints.public_key(browser.p256dh))
    auth = endpoints.encoded(endpoints.auth_secret(browser.auth))
    if not mailboxes:
        raise PolicyError("Select at least one mailbox.")
    digest = _digest(browser.endpoint)
    PushSubscription.objects.filter(endpoint_digest=digest).delete()
    now = clock.now()
    made = PushSubscription.objects.create(
        person=person,
        session_id=browser.session_id,
        generation=person.session_generation,
        browser=browser.name,
        endpoint=browser.endpoint,
        endpoint_digest=digest,
        p256dh=p256dh,
        auth=auth,
        key_id=keys.current(Purpose.WEB_PUSH).key_id,
        created_at=now,
        renewed_at=now,
        next_attempt_at=now,
    )
    newest = _newest()
    PushedMailbox.objects.bulk_create(
        PushedMailbox(
            subscription=made, mailbox=one, arrived_to=newest, announced_to=newest
        )
        for one in mailboxes
    )
    _make_room(person)
    _record("person.push_on", made, by=person)
    return made


def _make_room(person: Person) -> None:
    """Deletes all but the MOST browsers of a person that were renewed last."""
    latest = PushSubscription.objects.filter(person=person, removed_at=None)
    kept = latest.order_by("-renewed_at", "-pk").values_list("pk", flat=True)[:MOST]
    latest.exclude(pk__in=list(kept)).delete()


@transaction.atomic
def renew(person: Person, *, endpoint: str, session_id: str) -> bool:
    """Takes a subscription over to a later session of the same person and browser.

    Returns False where there is nothing to renew: it was removed, or is another
    person's, or our key has changed.
    """
    if refusal(person):
        return False
    found = (
        PushSubscription.objects.select_for_update()
        .filter(endpoint_digest=_digest(endpoint), person=person, removed_at=None)
        .filter(key_id=keys.current(Purpose.WEB_PUSH).key_id)
        .first()
    )
    if found is None:
        return False
    is_same = found.generation == person.session_generation
    if found.session_id == session_id and is_same:
        return True
    found.session_id, found.generation = session_id, person.session_generation
    found.renewed_at = clock.now()
    found.save(update_fields=["session_id", "generation", "renewed_at"])
    # What came while the person was signed out is on the page that they have open.
    newest = _newest()
    found.mailboxes.update(arrived_to=newest, announced_to=newest)
    return True


@transaction.atomic
def remove(subscription: PushSubscription, *, by: Person) -> None:
    """Ends a subscription for good; removing it again changes nothing."""
    rows = PushSubscription.objects.filter(pk=subscription.pk, removed_at=None)
    if rows.update(removed_at=clock.now()):
        _record("person.push_off", subscription, by=by)


def clean_up() -> int:
    """Deletes subscriptions that were not renewed for long. Idempotent."""
    old = PushSubscription.objects.filter(renewed_at__lt=clock.now() - DORMANT)
    return old.delete()[0]


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _newest() -> int:
    return Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _record(event: str, subscription: PushSubscription, *, by: Person) -> None:
    record(
        event,
        subscription.person,
        organisation_key=subscription.person.organisation_id or "",
        detail={"browser": subscription.browser},
        by=by,
    )
