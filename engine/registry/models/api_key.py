from __future__ import annotations

from typing import TypeAlias

from django.db import models
from django.utils import timezone

from engine.registry.models.organisation import Organisation, OrganisationStatus
from engine.registry.models.person import Person
from engine.registry.scopes import Scope
from engine.secrets import secret_keys


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Sets of API keys."""

    def live(self) -> ApiKeyQuerySet:
        """Keys that are valid now: neither revoked nor expired, nor of a suspended organisation."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        active = models.Q(organisation=None) | models.Q(
            organisation__status=OrganisationStatus.ACTIVE
        )
        return self.filter(unexpired, active, revoked_at=None)


class ApiKey(models.Model):
    """A generated secret with which another system uses the API.

    It acts in its organisation. Without one it acts in the whole community, and only
    staff can add it.
    """

    organisation = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="api_keys",
    )
    name = models.CharField(max_length=100)
    # A default of the database: the version before inserts without it.
    is_test = models.BooleanField(
        default=False,
        db_default=False,
        help_text="sends into the sandbox alone, and reads no mailbox",
    )
    scopes = models.JSONField(default=list)
    client_id = models.CharField(max_length=40, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    keyed_by = models.CharField(
        max_length=secret_keys.KEY_ID_LENGTH,
        default=secret_keys.key_id,
        help_text="which secret key the digest was made with",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    agreed_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    agreed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="when a second person let it open other people's mailboxes",
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"

    @property
    def audit_key(self) -> str:
        """The key in the audit trail, which tells systems from people."""
        return f"key:{self.pk}"

    @property
    def asks_for_mail(self) -> bool:
        """True if a scope of it opens people's own mailboxes; a test key opens none."""
        return not self.is_test and any(
            Scope(scope).opens_mail for scope in self.scopes
        )


# Who acts, and answers for it in the audit trail.
Actor: TypeAlias = Person | ApiKey
