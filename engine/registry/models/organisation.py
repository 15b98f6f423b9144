from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet


class Kind(models.TextChoices):
    """Kinds of organisation."""

    COURT = "court", "Court or tribunal"
    POLICE = "police", "Police"
    PROSECUTION = "prosecution", "Prosecution"
    PRISON = "prison", "Prison or probation"
    LAW_FIRM = "law_firm", "Law firm"
    BARRISTER = "barrister", "Barrister or chambers"
    CHARITY = "charity", "Charity or victim support"
    COUNCIL = "council", "Local authority"
    HEALTH = "health", "Health service"
    GOVERNMENT = "government", "Central government"
    OPERATOR = "operator", "The operator of this service"


class AccountType(models.TextChoices):
    """How an organisation exchanges mail with the community."""

    SMTP = "smtp", "SMTP server"
    CLOUD_GATEWAY = "cloud_gateway", "Cloud gateway"
    WEBMAIL = "webmail", "Hosted webmail"
    TRUSTED_DOMAIN = "trusted_domain", "Trusted domain"

    @property
    def is_hosted(self) -> bool:
        """True if the organisation's mailboxes are kept by this service."""
        return self == AccountType.WEBMAIL


class OrganisationStatus(models.TextChoices):
    """Whether mail flows for an organisation."""

    PENDING = "pending", "Being set up"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    CLOSED = "closed", "Closed"


ORGANISATION_TRANSITIONS: dict[OrganisationStatus, set[OrganisationStatus]] = {
    OrganisationStatus.PENDING: {OrganisationStatus.ACTIVE, OrganisationStatus.CLOSED},
    OrganisationStatus.ACTIVE: {
        OrganisationStatus.SUSPENDED,
        OrganisationStatus.CLOSED,
    },
    OrganisationStatus.SUSPENDED: {
        OrganisationStatus.ACTIVE,
        OrganisationStatus.CLOSED,
    },
    OrganisationStatus.CLOSED: set(),
}


class OrganisationQuerySet(LoggedQuerySet["Organisation"]):
    """Sets of organisations."""

    def active(self) -> OrganisationQuerySet:
        """Organisations whose mail flows."""
        return self.filter(status=OrganisationStatus.ACTIVE)


class Organisation(FoundByWords):
    """A member of the community."""

    FOUND_BY = ("name",)

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    account_type = models.CharField(max_length=20, choices=AccountType.choices)
    status = models.CharField(
        max_length=20,
        choices=OrganisationStatus.choices,
        default=OrganisationStatus.PENDING,
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    town = models.CharField(max_length=100, blank=True)
    mfa_required = models.BooleanField(default=False)
    # db_default, because a version without the column still inserts while hosts upgrade.
    indexes_mail = models.BooleanField(
        default=True,
        db_default=True,
        help_text="whether the words of its mail are indexed for search",
    )
    allows_web_push = models.BooleanField(
        default=True,
        db_default=True,
        help_text="whether its people may be notified in browsers without an open page",
    )
    requires_classification = models.BooleanField(
        default=False,
        db_default=False,
        help_text="whether each message written in its webmail must be classified",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()
    logged = Logged.of(ChangeKind.ORGANISATION, "name", "status", "account_type")

    class Meta:
        ordering = ["name", "id"]
        indexes = [unwritten_index("organisation_no_words")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """True if the organisation's mail flows and its people may sign in."""
        return self.status == OrganisationStatus.ACTIVE

    @property
    def is_hosted(self) -> bool:
        """True if the organisation's mailboxes are kept by this service."""
        return AccountType(self.account_type).is_hosted

    @property
    def is_trusted_domain(self) -> bool:
        """True if only the organisation's administrators have accounts here."""
        return self.account_type == AccountType.TRUSTED_DOMAIN
