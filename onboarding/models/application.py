from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.crypto import get_random_string
from django.utils.text import slugify

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

# Without letters and digits that are taken for each other on the telephone.
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"
# What these say of themselves weighs so much that two officers must believe it. They
# vouch for others; nobody vouches for them.
PUBLIC_BODIES = frozenset(
    {Kind.COURT, Kind.POLICE, Kind.PROSECUTION, Kind.PRISON, Kind.GOVERNMENT}
)


def new_reference() -> str:
    """Such as A7KD-93HP: 26^8 possibilities; it identifies and proves nothing."""
    text = get_random_string(8, REFERENCE_ALPHABET)
    return f"{text[:4]}-{text[4:]}"


class ApplicationQuerySet(models.QuerySet["Application"]):
    def waiting(self) -> ApplicationQuerySet:
        """Those for which somebody must decide."""
        return self.filter(status__in=TO_DECIDE)

    def sent_in(self) -> ApplicationQuerySet:
        """All that staff may read: what is still being filled in is the applicant's."""
        return self.exclude(submitted_at=None)

    def waiting_first(self) -> ApplicationQuerySet:
        """Those that wait, the oldest first; then the others, the newest first."""
        is_waiting = models.Q(status__in=TO_DECIDE)
        return self.sent_in().order_by(
            models.Case(models.When(is_waiting, then=0), default=1),
            models.Case(models.When(is_waiting, then="submitted_at"), default=None).asc(
                nulls_last=True
            ),
            "-submitted_at",
        )

    def unfinished(self) -> ApplicationQuerySet:
        """Those approved and not yet wholly set up."""
        return self.filter(status=Status.APPROVED)

    def of_applicant(self, address: str) -> ApplicationQuerySet:
        """Those begun by whoever reads this address, the newest first."""
        mine = self.filter(everyday_address__iexact=address)
        return mine.exclude(status=Status.WITHDRAWN)

    def like(self, application: Application) -> ApplicationQuerySet:
        """Others with the same name, or a domain in common."""
        same = models.Q(organisation_name__iexact=application.organisation_name)
        same |= models.Q(community_domain=application.community_domain)
        if application.member_domain:
            same |= models.Q(member_domain=application.member_domain)
        return self.sent_in().filter(same).exclude(pk=application.pk)


class Application(models.Model):
    """What an organisation claims about itself, and what was decided.

    While it is a draft, only `typed` and `everyday_address` say anything: the claims
    are written down when it is sent in.
    """

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

    # What provisioning made of it.
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
        """True while it is sent in and neither decided nor withdrawn."""
        return self.status in OPEN

    @property
    def is_hosted(self) -> bool:
        """True where the organisation's mailboxes would be kept here."""
        return AccountType(self.account_type).is_hosted

    @property
    def has_agreed_domain(self) -> bool:
        """True where its domain in the community is not its own with the suffix."""
        return self.community_domain != domain_under_suffix(self.member_domain)

    @property
    def needs_two_officers(self) -> bool:
        return self.kind in PUBLIC_BODIES

    @property
    def needs_sponsor(self) -> bool:
        return self.kind not in PUBLIC_BODIES

    @property
    def administrator_address(self) -> Address:
        """The secure address that the applicant will have."""
        return self._secure_address(self.everyday_address, self.applicant_name)

    @property
    def second_administrator_address(self) -> Address:
        """The secure address that the second administrator will have."""
        return self._secure_address(self.second_address, self.second_name)

    def _secure_address(self, everyday_address: str, name: str) -> Address:
        """Whoever writes from the organisation's own domain keeps the local part.

        Anybody else gets one made of the name, such as jane.doe.
        """
        everyday = Address.parse(everyday_address)
        if everyday.domain == self.member_domain:
            return everyday.at(self.community_domain)
        local = slugify(name).replace("-", ".").replace("_", ".")
        return Address(local[:64].strip(".") or "administrator", self.community_domain)


def domain_under_suffix(name: str) -> str:
    """What a member's domain, or a hosted member's short name, is in the community.

    A proposal: the pair that was agreed is in the registry.
    """
    return f"{name}.{settings.POSTERN.community_domain}"
