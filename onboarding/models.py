from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from engine.mail.address import Address
from engine.registry.models import AccountType, Kind, Organisation, Person, Proof
from onboarding.status import Status, StepState

# Without letters and digits that are taken for each other on the telephone.
REFERENCE_ALPHABET = "ACDEFGHJKLMNPQRTUVWXY34679"


def new_reference() -> str:
    """Such as A7KD-93HP: 26^8 possibilities; it identifies and proves nothing."""
    text = get_random_string(8, REFERENCE_ALPHABET)
    return f"{text[:4]}-{text[4:]}"


class ApplicationQuerySet(models.QuerySet["Application"]):
    def waiting(self) -> ApplicationQuerySet:
        """Those for which somebody must decide."""
        return self.filter(status=Status.SUBMITTED)

    def waiting_first(self) -> ApplicationQuerySet:
        """Those that wait, the oldest first; then the others, the newest first."""
        is_waiting = models.Q(status=Status.SUBMITTED)
        return self.order_by(
            models.Case(models.When(is_waiting, then=0), default=1),
            models.Case(models.When(is_waiting, then="id"), default=-models.F("id")),
        )

    def unfinished(self) -> ApplicationQuerySet:
        """Those approved and not yet wholly set up."""
        return self.filter(status=Status.APPROVED)

    def like(self, application: Application) -> ApplicationQuerySet:
        """Others with the same name, or a domain in common."""
        same = models.Q(organisation_name__iexact=application.organisation_name)
        same |= models.Q(community_domain=application.community_domain)
        if application.member_domain:
            same |= models.Q(member_domain=application.member_domain)
        return self.filter(same).exclude(pk=application.pk)


class Application(models.Model):
    """What an organisation claims about itself, and what was decided."""

    reference = models.CharField(max_length=9, unique=True, default=new_reference)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.SUBMITTED
    )
    submitted_at = models.DateTimeField(auto_now_add=True)

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
    tenant_id = models.CharField(max_length=100, blank=True)

    applicant_name = models.CharField("name", max_length=150)
    applicant_job_title = models.CharField("job title", max_length=150)
    applicant_phone = models.CharField("telephone", max_length=40)
    everyday_address = models.CharField("everyday email address", max_length=254)

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

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    status=Status.SUBMITTED,
                    decided_at__isnull=True,
                    decided_by__isnull=True,
                )
                | ~models.Q(status=Status.SUBMITTED)
                & ~models.Q(decision_reason="")
                & models.Q(decided_at__isnull=False, decided_by__isnull=False),
                name="application_decision_is_whole",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.organisation_name}"

    @property
    def is_hosted(self) -> bool:
        """True where the organisation's mailboxes would be kept here."""
        return AccountType(self.account_type).is_hosted

    @property
    def administrator_address(self) -> Address:
        """The secure address that the applicant will have.

        An applicant who writes from the organisation's own domain keeps the local
        part; anybody else gets one made of the name, such as jane.doe.
        """
        everyday = Address.parse(self.everyday_address)
        if everyday.domain == self.member_domain:
            return everyday.at(self.community_domain)
        local = slugify(self.applicant_name).replace("-", ".").replace("_", ".")
        return Address(local[:64].strip(".") or "administrator", self.community_domain)


def domain_under_suffix(name: str) -> str:
    """What a member's domain, or a hosted member's short name, is in the community.

    A proposal: the pair that was agreed is in the registry.
    """
    return f"{name}.{settings.POSTERN.community_domain}"


class ProvisioningStep(models.Model):
    """One step of setting an organisation up, and how far it has come."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="steps"
    )
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40)
    state = models.CharField(
        max_length=10, choices=StepState.choices, default=StepState.WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(
        max_length=300, blank=True, help_text="why the last attempt failed, for staff"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "key"], name="provisioning_step_once"
            )
        ]

    def __str__(self) -> str:
        return self.key


class Letter(models.Model):
    """A welcome letter that was rendered once and is kept as a file.

    It holds the only copy of the connection's secret, of which the registry keeps
    just a digest; so it is never rendered again.
    """

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="letter"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="letters"
    )
    file_name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Welcome letter of {self.organisation}"
