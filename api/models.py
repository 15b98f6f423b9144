from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine import clock
from engine.registry.models import ApiKey, WebhookEndpoint


class AccessToken(models.Model):
    """What a client took out with its key by OAuth 2: good for an hour."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Token of {self.key}"


class KeptAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key, for those who ask again.

    While the first is still being worked on, `status` is null.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="answers")
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "idempotency_key"], name="kept_answer_once"
            )
        ]

    def __str__(self) -> str:
        return self.idempotency_key


class WebhookState(models.TextChoices):
    """Where one telling of one endpoint stands."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class WebhookCall(models.Model):
    """One thing that one endpoint must be told, until it has said that it heard."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="calls"
    )
    source = models.CharField(
        max_length=80, help_text="what it comes of, such as trace:17:message.delivered"
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


class WebhookStanding(models.Model):
    """How an endpoint answers: one that does not is left alone for a while."""

    endpoint = models.OneToOneField(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="standing"
    )
    asked_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    down_since = models.DateTimeField(null=True)
    down_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.failures} failures"


class WebhookMark(models.Model):
    """How far one source of events has been looked through."""

    source = models.CharField(max_length=20, unique=True)
    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.source
