"""Browsers that are notified while no page is open, and how far they were."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from engine.registry.models import Mailbox, Person
from portal.sessions.models import WebSession


class PushSubscriptionQuerySet(models.QuerySet["PushSubscription"]):
    """Filters for subscriptions."""

    def live(self) -> PushSubscriptionQuerySet:
        """Returns those whose browser is still signed in as it was when it subscribed.

        The one place that ends a subscription with its session, with a new password,
        with a suspended person or by removal.
        """
        generation = OuterRef("person__session_generation")
        session = WebSession.objects.filter(
            person=OuterRef("person"),
            public_id=OuterRef("session_id"),
            generation=generation,
            expire_date__gt=timezone.now(),
        )
        return self.filter(
            Exists(session),
            removed_at=None,
            person__is_active=True,
            generation=F("person__session_generation"),
        )


class PushSubscription(models.Model):
    """One browser's subscription at its vendor's push service (RFC 8030).

    `endpoint` alone sends nothing: the service accepts only what our key `key_id` has
    signed. `p256dh` and `auth` encrypt, and decrypt nothing (RFC 8291). A removed row
    stays for a while, so that the browser cannot renew by itself what its owner ended.
    """

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="push_subscriptions"
    )
    session_id = models.CharField(
        max_length=32, help_text="public id of the browser session"
    )
    generation = models.PositiveIntegerField()
    browser = models.CharField(max_length=60, blank=True)
    endpoint = models.TextField()
    endpoint_digest = models.CharField(max_length=64, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    key_id = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()

    objects: ClassVar[models.Manager[PushSubscription]] = (
        PushSubscriptionQuerySet.as_manager()
    )

    def __str__(self) -> str:
        # Never the endpoint, which names a browser.
        return f"{self.browser} of {self.person}"


class PushedMailbox(models.Model):
    """A mailbox of whose mail the browser is notified.

    `arrived_to` and `announced_to` are ids of messages: a push is due while the first is
    higher.
    """

    subscription = models.ForeignKey(
        PushSubscription, on_delete=models.CASCADE, related_name="mailboxes"
    )
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    arrived_to = models.BigIntegerField()
    announced_to = models.BigIntegerField()
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "mailbox"], name="pushed_mailbox_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["pushed_at"],
                condition=models.Q(arrived_to__gt=models.F("announced_to")),
                name="pushed_mailbox_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox} for {self.subscription_id}"
