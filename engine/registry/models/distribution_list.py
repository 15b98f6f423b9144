"""Distribution lists, their members, and who may post."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation


class Posting(models.TextChoices):
    """Posting policies of distribution lists."""

    MEMBERS = "members", "Members of the list"
    ORGANISATION = "organisation", "Everyone in the organisation that owns it"
    COMMUNITY = "community", "Everyone in the community"
    NAMED = "named", "Named addresses only"


class DistributionList(FoundByWords):
    """An address whose mail goes to many members, across organisations."""

    FOUND_BY = ("name", "address")

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

    objects = LoggedQuerySet["DistributionList"].as_manager()
    logged = Logged.of(
        ChangeKind.LIST, "address", "name", "organisation", "posting", "is_active"
    )

    class Meta:
        ordering = ["address"]
        indexes = [unwritten_index("list_no_words")]

    def __str__(self) -> str:
        return self.address


# Messages returned in a row: fewer are everyday trouble, such as a full mailbox.
FAILURES_TO_FLAG = 3


class ListMember(models.Model):
    """A member of a distribution list, as the key of an address."""

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

    objects = LoggedQuerySet["ListMember"].as_manager()
    logged = Logged.of(
        ChangeKind.LIST, "distribution_list", "address", key="distribution_list_id"
    )

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
        """True if mail to the member keeps being returned."""
        return self.failures >= FAILURES_TO_FLAG


class ListPoster(models.Model):
    """An address that may post to a list with the posting policy NAMED."""

    distribution_list = models.ForeignKey(
        DistributionList, on_delete=models.CASCADE, related_name="posters"
    )
    address = models.CharField(max_length=254)

    objects = LoggedQuerySet["ListPoster"].as_manager()
    logged = Logged.of(
        ChangeKind.LIST, "distribution_list", "address", key="distribution_list_id"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distribution_list", "address"], name="list_poster_once"
            )
        ]

    def __str__(self) -> str:
        return self.address
