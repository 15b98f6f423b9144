from __future__ import annotations

from django.db import models


class Provider(models.TextChoices):
    """Cloud providers, whose servers send the mail of many tenants."""

    MICROSOFT_365 = "microsoft_365", "Microsoft 365"
    GOOGLE_WORKSPACE = "google_workspace", "Google Workspace"


class ProviderNetworks(models.Model):
    """The networks from which a provider sends, as last read from its SPF record."""

    provider = models.CharField(max_length=20, choices=Provider.choices, unique=True)
    networks = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["provider"]
        verbose_name_plural = "provider networks"

    def __str__(self) -> str:
        return f"Networks of {self.get_provider_display()}"
