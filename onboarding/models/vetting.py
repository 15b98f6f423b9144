"""What vetting collects about an application: checks, questions, sponsorships."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Person
from onboarding.models.application import Application


class CheckKey(models.TextChoices):
    """Looked up in DNS and over SMTP about an applicant's mail."""

    MX = "mx", "Where mail for the domain goes (MX)"
    SPF = "spf", "Who may send for the domain (SPF)"
    DMARC = "dmarc", "What the domain asks of forged mail (DMARC)"
    TLS = "tls", "Encryption of the server that receives (STARTTLS)"


class CheckState(models.TextChoices):
    """Whether a check still runs."""

    RUNNING = "running", "In progress"
    DONE = "done", "Done"


class Check(models.Model):
    """One automatic check of an applicant's mail set-up, and its result.

    `is_doubt` asks the officer to look closer. `facts` holds the machine-readable part,
    such as the mail exchangers.
    """

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="checks"
    )
    key = models.CharField(max_length=10, choices=CheckKey.choices)
    state = models.CharField(
        max_length=10, choices=CheckState.choices, default=CheckState.RUNNING
    )
    found = models.TextField(blank=True)
    facts = models.JSONField(default=dict, blank=True)
    is_doubt = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["application", "key"], name="check_once")
        ]

    def __str__(self) -> str:
        return self.get_key_display()


class Question(models.Model):
    """An officer's question to the applicant, and the answer."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="questions"
    )
    text = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:80]


class SponsorshipStatus(models.TextChoices):
    """The sponsor's answer so far."""

    ASKED = "asked", "Asked"
    CONFIRMED = "confirmed", "Confirmed"
    DECLINED = "declined", "Declined"
    REPLACED = "replaced", "Replaced by another"


class Sponsorship(models.Model):
    """A request to a member to vouch for an applicant.

    An applicant may name another sponsor, so an application can have several over time;
    all but the newest are REPLACED.
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
