from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation


class DomainQuerySet(LoggedQuerySet["Domain"]):
    """Sets of domains."""

    def verified(self) -> DomainQuerySet:
        """Domains proved to be their organisation's. Only these have mail."""
        return self.exclude(verified_at=None)

    def known_as(self, domain: str) -> DomainQuerySet:
        """Domains of which this A-label is either form."""
        return self.filter(
            models.Q(member_domain=domain) | models.Q(community_domain=domain)
        )


class Domain(FoundByWords):
    """A pair: a domain as its organisation uses it, and its form in the community.

    Both are IDNA A-labels in lower case. For hosted webmail and trusted domains, whose
    addresses are the same in the community, the two are equal.
    """

    FOUND_BY = ("member_domain", "community_domain")

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="domains"
    )
    member_domain = models.CharField(max_length=253, unique=True)
    community_domain = models.CharField(max_length=253, unique=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DomainQuerySet.as_manager()
    logged = Logged.of(
        ChangeKind.DOMAIN,
        "organisation",
        "member_domain",
        "community_domain",
        "verified_at",
    )

    class Meta:
        ordering = ["community_domain"]
        indexes = [unwritten_index("domain_no_words")]

    def __str__(self) -> str:
        return self.community_domain
