from __future__ import annotations

from django.db import models

from onboarding.models.application import Application


class SponsorshipStatus(models.TextChoices):
    ASKED = "asked", "Asked"
    CONFIRMED = "confirmed", "Confirmed"
    DECLINED = "declined", "Declined"
    REPLACED = "replaced", "Replaced by another"


class Sponsorship(models.Model):
    """Somebody in the community who is asked to vouch for an applicant.

    Several over time: an applicant may name another. The newest counts.
    """

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="sponsorships"
    )
    name = models.CharField(max_length=150)
    organisation_name = models.CharField("organisation", max_length=200)
    address = models.CharField(max_length=254)
    status = models.CharField(
        max_length=10,
        choices=SponsorshipStatus.choices,
        default=SponsorshipStatus.ASKED,
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=~models.Q(status=SponsorshipStatus.REPLACED),
                name="sponsorship_one_counts",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.organisation_name}"
