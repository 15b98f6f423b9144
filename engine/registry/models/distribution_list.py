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


class ListMember(models.Model):
    """An address that a distribution list reaches."""

    distribution_list = models.ForeignKey(
        DistributionList, on_delete=models.CASCADE, related_name="members"
    )
    address = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distribution_list", "address"], name="list_member_once"
            )
        ]

    def __str__(self) -> str:
        return self.address


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
