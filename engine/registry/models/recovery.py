"""Changes of everyday addresses, and recoveries that shut a mailbox."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from engine.registry.models.person import Person


class RecoveryAddressChangeQuerySet(models.QuerySet["RecoveryAddressChange"]):
    """Sets of changes of everyday addresses."""

    def pending(self) -> RecoveryAddressChangeQuerySet:
        """Changes that were requested, and neither took effect nor were refused."""
        return self.filter(applied_at=None, refused_at=None)

    def due(self, now: datetime) -> RecoveryAddressChangeQuerySet:
        """Changes whose delay passed without a refusal."""
        return self.pending().filter(effective_at__lte=now)


class RecoveryAddressChange(models.Model):
    """A change of the everyday address, to which links that open the account are sent.

    A change by the owner takes effect immediately, one by another person after the
    recovery delay, during which the owner may refuse it. `used_at` is the first recovery
    through the new address; from then on it counts as one that the owner chose.
    """

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="address_changes"
    )
    old = models.CharField(max_length=254, blank=True)
    new = models.CharField(max_length=254, blank=True)
    is_first = models.BooleanField(
        default=False, help_text="given with the account, or before anybody used it"
    )
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by_name = models.CharField(max_length=320)
    requested_at = models.DateTimeField(default=timezone.now)
    effective_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_by_name = models.CharField(max_length=320, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryAddressChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(applied_at=None, refused_at=None),
                name="address_change_pending_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["effective_at"],
                condition=models.Q(applied_at=None, refused_at=None),
                name="address_change_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.old or 'none'} to {self.new or 'none'}"

    @property
    def is_by_owner(self) -> bool:
        """True if the owner of the account requested it."""
        return self.requested_by_id == self.person_id

    @property
    def is_pending(self) -> bool:
        """True if it neither took effect nor was refused."""
        return self.applied_at is None and self.refused_at is None


class RecoveryCause(models.TextChoices):
    """Reasons for which a recovery shuts the mailbox."""

    FACTOR_RESET = "factor_reset", "The second factor was reset"
    NEW_ADDRESS = "new_address", "The link went to an address that was new"
    LETTER = "letter", "The first sign-in was by a letter, after mail had arrived"


class RecoveryQuerySet(models.QuerySet["Recovery"]):
    """Sets of recoveries."""

    def shut(self, now: datetime) -> RecoveryQuerySet:
        """Recoveries that keep a mailbox shut."""
        unended = models.Q(shut_until=None) | models.Q(shut_until__gt=now)
        return self.filter(unended, opened_at=None)


class Recovery(models.Model):
    """A recovery of an account that another person could have arranged alone.

    It shuts the mailbox until a second person opens it, or until POSTERN_RECOVERY_SHUT_HOURS
    after the first sign-in; `shut_until` is unset before that sign-in.
    """

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="recoveries"
    )
    cause = models.CharField(max_length=20, choices=RecoveryCause.choices)
    caused_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    caused_by_name = models.CharField(max_length=320)
    began_at = models.DateTimeField(default=timezone.now)
    shut_until = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    objects = RecoveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "recoveries"

    def __str__(self) -> str:
        return f"{self.person}: {self.get_cause_display()}"
