"""What a member's domain asks of servers that deliver to it by TLS."""

from __future__ import annotations

from django.db import models

from engine.registry.models.domain import Domain


class TransportPolicy(models.Model):
    """The MTA-STS policy of a domain (RFC 8461), as last fetched."""

    domain = models.OneToOneField(
        Domain, on_delete=models.CASCADE, related_name="transport_policy"
    )
    policy_id = models.CharField(max_length=32, help_text="of the record, when fetched")
    text = models.TextField(help_text="the policy, in its own notation")
    exchangers = models.JSONField(default=list, help_text="hosts of its MX records")
    fetched_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    fault = models.CharField(
        max_length=200, blank=True, help_text="why it could not be fetched again"
    )

    class Meta:
        ordering = ["domain"]
        verbose_name_plural = "transport policies"

    def __str__(self) -> str:
        return f"MTA-STS of {self.domain}"
