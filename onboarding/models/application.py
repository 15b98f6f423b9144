"""The application of an organisation: its claims, decision and results."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from engine.folding.columns import FoundByWords, unwritten_index
from engine.mail.address import Address
from engine.registry.models import (
    AccountType,
    Kind,
    Organisation,
    Person,
    Proof,
    Provider,
)
from onboarding.status import DECIDED, OPEN, TO_DECIDE, Status

# Leaves out letters and digits that are confused when read out over the telephone.
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
# A false claim to be one of these does the most harm, so two officers must agree. They
# sponsor other applicants and need no sponsor themselves.
PUBLIC_BODIES = frozenset(
    {Kind.COURT, Kind.POLICE, Kind.PROSECUTION, Kind.PRISON, Kind.GOVERNMENT}
)


def new_reference() -> str:
    """Returns a random reference such as A7KD-93HP, one of 26^8.

    It identifies an application and proves nothing, so it needs no secrecy.
    """
    text = get_random_string(8, REFERENCE_ALPHABET)
    return f"{text[:4]}-{text[4:]}"


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Sets of applications by how far they have come."""

    def waiting(self) -> ApplicationQuerySet:
        """Returns applications that wait for an officer's decision."""
        return self.filter(status__in=TO_DECIDE)

    def submitted(self) -> ApplicationQuerySet:
        """Returns submitted applications: staff may not read drafts."""
        return self.exclude(submitted_at=None)

    def waiting_first(self) -> ApplicationQuerySet:
        """Orders waiting applications first, oldest first, then the rest, newest first."""
        is_waiting = models.Q(status__in=TO_DECIDE)
        return self.submitted().order_by(
            models.Case(models.When(is_waiting, then=0), default=1),
            models.Case(models.When(is_waiting, then="submitted_at"), default=None).asc(
                nulls_last=True
            ),
            "-submitted_at",
        )

    def unfinished(self) -> ApplicationQuerySet:
        """Returns approved applications whose provisioning has not finished."""
        return self.filter(status=Status.APPROVED)

    def of_applicant(self, address: str) -> ApplicationQuerySet:
        """Returns applications begun from this email address, newest first."""
        mine = self.filter(everyday_address__iexact=address)
        return mine.exclude(status=Status.WITHDRAWN)

    def like(self, application: Application) -> ApplicationQuerySet:
        """Returns other applications with the same name or a domain in common."""
        same = models.Q(organisation_name__iexact=application.organisation_name)
        same |= models.Q(community_domain=application.community_domain)
        if application.member_domain:
            same |= models.Q(member_domain=application.member_domain)
        return self.submitted().filter(same).exclude(pk=application.pk)


class Application(FoundByWords):
    """An organisation's claims about itself, and the decision on them.

    A draft holds only `typed` (the raw form data, by page) and `everyday_address`. The
    claim fields are filled on submission.
    """

    FOUND_BY = ("organisation_name", "reference", "member_domain", "town")

    reference = models.CharField(max_length=9, unique=True, default=new_reference)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.DRAFT
    )
    changed_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField("sent in", null=True, blank=True)
    typed = models.JSONField(default=dict, blank=True)

    organisation_name = models.CharField("organisation", max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    town = models.CharField(max_length=100)
    is_sole_user = models.BooleanField("only one user", default=False)

    account_type = models.CharField(max_length=20, choices=AccountType.choices)
    member_domain = models.CharField("own domain", max_length=253, blank=True)
    community_domain = models.CharField(
        "domain in the community", max_length=253, help_text="proposed until approved"
    )
    next_hop_host = models.CharField("mail server", max_length=253, blank=True)
    next_hop_port = models.PositiveIntegerField("port", default=25)
    proof = models.CharField(max_length=20, choices=Proof.choices, blank=True)
    source_networks = models.JSONField("sending addresses", default=list, blank=True)
    certificate_name = models.CharField(max_length=253, blank=True)
    provider = models.CharField(max_length=20, choices=Provider.choices, blank=True)
    tenant_id = models.CharField(max_length=100, blank=True)

    applicant_name = models.CharField("name", max_length=150)
    applicant_job_title = models.CharField("job title", max_length=150)
    applicant_phone = models.CharField("telephone", max_length=40)
    everyday_address = models.CharField(
        "everyday email address", max_length=254, help_text="confirmed by a link"
    )
    second_name = models.CharField(max_length=150, blank=True)
    second_job_title = models.CharField(max_length=150, blank=True)
    second_address = models.CharField(max_length=254, blank=True)

    assigned_to = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    recommended_at = models.DateTimeField(null=True, blank=True)
    recommended_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recommendation = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.TextField(blank=True)

    # Set by provisioning.
    organisation = models.OneToOneField(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="application",
    )
    administrator = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    second_administrator = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "submitted_at"], name="application_waiting"),
            models.Index(fields=["everyday_address"], name="application_applicant"),
            unwritten_index("application_no_words"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status__in=DECIDED)
                & models.Q(decided_at__isnull=True, decided_by__isnull=True)
                | models.Q(status__in=DECIDED)
                & ~models.Q(decision_reason="")
                & models.Q(decided_at__isnull=False, decided_by__isnull=False),
                name="application_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    recommended_at__isnull=True, recommended_by__isnull=True
                )
                | models.Q(recommended_at__isnull=False, recommended_by__isnull=False),
                name="application_recommendation_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[Status.DRAFT, Status.WITHDRAWN])
                | models.Q(submitted_at__isnull=False),
                name="application_was_sent_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.organisation_name}".strip()

    @property
    def is_open(self) -> bool:
        """True if it is submitted and neither decided nor withdrawn."""
        return self.status in OPEN

    @property
    def is_hosted(self) -> bool:
        """True if this service would host the organisation's mailboxes."""
        return AccountType(self.account_type).is_hosted

    @property
    def has_agreed_domain(self) -> bool:
        """True if its community domain is not simply its own domain with the suffix."""
        return self.community_domain != domain_under_suffix(self.member_domain)

    @property
    def needs_two_officers(self) -> bool:
        """True if a second officer must confirm the first one's decision."""
        return self.kind in PUBLIC_BODIES

    @property
    def needs_sponsor(self) -> bool:
        """True if a member must vouch for the applicant before approval."""
        return self.kind not in PUBLIC_BODIES

    @property
    def administrator_address(self) -> Address:
        """The applicant's future secure address."""
        return self._secure_address(self.everyday_address, self.applicant_name)

    @property
    def second_administrator_address(self) -> Address:
        """The second administrator's future secure address."""
        return self._secure_address(self.second_address, self.second_name)

    def _secure_address(self, everyday_address: str, name: str) -> Address:
        """Keeps the local part of an address in the organisation's own domain.

        An address elsewhere (a webmail provider, say) gets a local part made from the
        name, such as jane.doe.
        """
        everyday = Address.parse(everyday_address)
        if everyday.domain == self.member_domain:
            return everyday.at(self.community_domain)
        local = slugify(name).replace("-", ".").replace("_", ".")
        return Address(local[:64].strip(".") or "administrator", self.community_domain)


def domain_under_suffix(name: str) -> str:
    """Returns the proposed community domain for a member's domain or short name.

    The domain finally agreed is the one in the registry.
    """
    return f"{name}.{settings.POSTERN.community_domain}"
