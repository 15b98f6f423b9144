from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.registry.models.person import Person
from engine.secrets import secret_keys


class AppPasswordQuerySet(models.QuerySet["AppPassword"]):
    """Sets of app passwords."""

    def live(self) -> AppPasswordQuerySet:
        """App passwords that are neither revoked nor expired."""
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()),
            revoked_at=None,
        )


class AppPassword(models.Model):
    """A generated secret with which one mail client signs in as a person.

    Each client has its own, so that a lost device can be cut off alone.
    """

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="app_passwords"
    )
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    keyed_by = models.CharField(
        max_length=secret_keys.KEY_ID_LENGTH,
        default=secret_keys.key_id,
        help_text="which secret key the digest was made with",
    )
    scram = models.TextField(
        default="",
        db_default="",
        blank=True,
        help_text="what SCRAM proofs are checked with, sealed; empty until it is known",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    known_networks = models.JSONField(
        default=list, help_text="from which it signed in, the latest last"
    )

    objects = AppPasswordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
