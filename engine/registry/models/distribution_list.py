from __future__ import annotations

from django.db import models

from engine.registry.models.organisation import Organisation


class Posting(models.TextChoices):
    """Who may write to a distribution list."""

    MEMBERS = "members", "Members of the list"
    ORGANISATION = "organisation", "Everyone in the organisation that owns it"
    COMMUNITY = "community", "Everyone in the community"
    NAMED = "named", "Named addresses only"


class DistributionList(models.Model):
    """One address that means many, across organisations."""

    address = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=150)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="distribution_lists"
    )
    posting = models.CharField(
        max_length=20, choices=Posting.choices, default=Posting.ORGANISATION
    )
    is_active = models.BooleanField(default=True)
    is_published = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address


# So many messages returned in a row make a member worth a look.
FAILURES_TO_FLAG = 3


class ListMember(models.Model):
    """An address that a distribution list reaches."""

    distribution_list = models.ForeignKey(
        DistributionList, on_delete=models.CASCADE, related_name="members"
    )
    address = models.CharField(max_length=254)
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="messages in a row that came back"
    )
    last_failure = models.CharField(
        max_length=500, blank=True, help_text="what the member's server said"
    )
    last_failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["address"]
        constraints = [
            models.UniqueConstraint(
                fields=["distribution_list", "address"], name="list_member_once"
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def needs_attention(self) -> bool:
        """True where mail keeps coming back from the member."""
        return self.failures >= FAILURES_TO_FLAG


class ListPoster(models.Model):
    """An address that may write to a list whose posting is by name."""

    distribution_list = models.ForeignKey(
        DistributionList, on_delete=models.CASCADE, related_name="posters"
    )
    address = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distribution_list", "address"], name="list_poster_once"
            )
        ]

    def __str__(self) -> str:
        return self.address
