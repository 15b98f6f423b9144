from __future__ import annotations

from django.db import models

from engine.registry.models.organisation import Organisation


class Alias(models.Model):
    """An address whose mail goes to another address."""

    address = models.CharField(max_length=254, unique=True)
    target = models.CharField(max_length=254)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="aliases"
    )

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "aliases"

    def __str__(self) -> str:
        return f"{self.address} → {self.target}"
