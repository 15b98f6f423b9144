from __future__ import annotations

from django.db import models


class Provider(models.TextChoices):
    """A cloud in which many organisations' mail systems share servers."""

    MICROSOFT_365 = "microsoft_365", "Microsoft 365"
    GOOGLE_WORKSPACE = "google_workspace", "Google Workspace"


class ProviderNetworks(models.Model):
    """The networks from which a provider says that it sends, as last looked up."""

    provider = models.CharField(max_length=20, choices=Provider.choices, unique=True)
    networks = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["provider"]
        verbose_name_plural = "provider networks"

    def __str__(self) -> str:
        return f"Networks of {self.get_provider_display()}"
