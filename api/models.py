"""Tables of the API: access tokens, stored responses and webhook calls."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.database import clock
from engine.registry.models import ApiKey, Mailbox, Organisation, WebhookEndpoint


class AccessToken(models.Model):
    """An OAuth 2 access token that a client took out with its API key."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Token of {self.key}"


class IdempotentResponse(models.Model):
    """The response to a request with an Idempotency-Key, replayed when it is repeated.

    `status` is null while the first request is still in progress.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="answers")
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        db_table = "api_keptanswer"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "idempotency_key"], name="kept_answer_once"
            )
        ]

    def __str__(self) -> str:
        return self.idempotency_key


class WebhookState(models.TextChoices):
    """The delivery state of one webhook call."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class WebhookCall(models.Model):
    """One event to be delivered to one endpoint, retried until the endpoint accepts it."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="calls"
    )
    source = models.CharField(
        max_length=80,
        help_text="the event's origin, such as trace:17:message.delivered",
    )
    event = models.CharField(max_length=40)
    payload = models.JSONField()
    state = models.CharField(
        max_length=10, choices=WebhookState.choices, default=WebhookState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_reply = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "source"], name="webhook_call_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state="waiting"),
                name="webhook_call_due",
            ),
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=models.Q(state="waiting"),
                name="webhook_call_of_endpoint",
            ),
        ]

    def __str__(self) -> str:
        return self.source


class WebhookBackoff(models.Model):
    """Consecutive failures of an endpoint, and how long it is left alone."""

    endpoint = models.OneToOneField(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="backoff"
    )
    asked_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    down_since = models.DateTimeField(null=True)
    down_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_webhookstanding"

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.failures} failures"


class WebhookCursor(models.Model):
    """The last row of an event source (trace or audit trail) that was processed."""

    source = models.CharField(max_length=20, unique=True)
    last_id = models.BigIntegerField(default=0)

    class Meta:
        db_table = "api_webhookmark"

    def __str__(self) -> str:
        return self.source


class SandboxMessage(models.Model):
    """A message that a test key sent. It goes nowhere; its outcomes are pretended."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="sandbox_messages"
    )
    reference = models.CharField(max_length=32, unique=True)
    sender = models.CharField(max_length=254)
    outcomes = models.JSONField(
        default=dict, help_text="what happens to it, by recipient"
    )
    raw = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.reference


class SandboxCopy(models.Model):
    """A sandbox message as one mailbox would have it."""

    message = models.ForeignKey(
        SandboxMessage, on_delete=models.CASCADE, related_name="copies"
    )
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    is_sent = models.BooleanField(help_text="in Sent, and else in the inbox")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.message} in {self.mailbox}"
