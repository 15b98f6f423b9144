"""Database models of domain checks, connection tests, monitoring and shared links."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.registry.models import Connection, Domain, Person


class DomainCheck(models.Model):
    """The result of the last DNS look-up of a domain's ownership record."""

    domain = models.OneToOneField(
        Domain, on_delete=models.CASCADE, related_name="ownership_check"
    )
    checked_at = models.DateTimeField()
    found = models.JSONField(default=list)
    advice = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"Check of {self.domain}"

    @property
    def is_good(self) -> bool:
        """True if the record proved the ownership."""
        return not self.advice


class StepKey(models.TextChoices):
    """The steps of a rehearsal, in order."""

    NAME = "name", "Find your server"
    CONNECT = "connect", "Reach it"
    STARTTLS = "starttls", "It offers encryption"
    CERTIFICATE = "certificate", "Its certificate can be trusted"
    LIMITS = "limits", "It takes large messages"
    OUT = "out", "A message from us reaches it"
    IN = "in", "A message from you reaches us"


class StepState(models.TextChoices):
    """The state of a step."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    PASSED = "passed", "Works"
    FAILED = "failed", "Does not work"
    SKIPPED = "skipped", "Not tried"

    @property
    def is_final(self) -> bool:
        """True if the state will not change again."""
        return self not in (StepState.WAITING, StepState.RUNNING)


class Rehearsal(models.Model):
    """A test of a connection in both directions, with real SMTP sessions and messages."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="rehearsals"
    )
    recipient = models.CharField(
        max_length=254, help_text="theirs, in community form, for our message"
    )
    reference = models.CharField(max_length=32, blank=True, help_text="of our message")
    started_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Rehearsal of {self.connection}"

    @property
    def is_good(self) -> bool:
        """True once every step has passed."""
        return {step.state for step in self.steps.all()} == {StepState.PASSED}

    @property
    def faults(self) -> list[Step]:
        """The steps that failed."""
        return [step for step in self.steps.all() if step.state == StepState.FAILED]


class Step(models.Model):
    """A step of a rehearsal: what was observed, and the fault as a sentence."""

    rehearsal = models.ForeignKey(
        Rehearsal, on_delete=models.CASCADE, related_name="steps"
    )
    key = models.CharField(max_length=12, choices=StepKey.choices)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10, choices=StepState.choices, default=StepState.WAITING
    )
    seen = models.CharField(max_length=500, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "key"], name="step_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class Watch(models.Model):
    """The result of the daily check of a connection's next hop."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, related_name="watch"
    )
    looked_at = models.DateTimeField()
    certificate_ends_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=500, blank=True)
    failing_since = models.DateTimeField(
        null=True, help_text="the first of the checks in a row that failed"
    )
    warned_of = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the certificate last warned of"
    )

    warned_of_waiting_at = models.DateTimeField(
        null=True,
        help_text="when its people were told that mail waits for its TLS; null when none "
        "does",
    )

    def __str__(self) -> str:
        return f"Watch of {self.connection}"


class SharedLinkQuerySet(models.QuerySet["SharedLink"]):
    """Sets of shared links."""

    def live(self) -> SharedLinkQuerySet:
        """Returns links neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class SharedLink(models.Model):
    """A link that shows a connection's values to an IT department without a sign-in."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="shared_links"
    )
    name = models.CharField(max_length=100, help_text="who it is for")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True, help_text="when it gave its password")

    objects = SharedLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """True unless it is revoked or expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()
