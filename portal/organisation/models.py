from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from engine.registry.models import Organisation, Person

# A request to which nobody agreed for so long asks for nothing any more.
RESET_LIFETIME = timedelta(days=7)


class FactorResetQuerySet(models.QuerySet["FactorReset"]):
    def waiting(self) -> FactorResetQuerySet:
        """Those to which a second person may still agree."""
        since = timezone.now() - RESET_LIFETIME
        return self.filter(settled_at=None, requested_at__gt=since)


class FactorReset(models.Model):
    """Staff ask to take away somebody's second factor; a second person must agree."""

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="factor_resets"
    )
    requested_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=200)
    requested_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = FactorResetQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(settled_at=None),
                name="factor_reset_waits_once",
            )
        ]

    def __str__(self) -> str:
        return f"Second factor of {self.person}"


class PeopleFileStatus(models.TextChoices):
    """How far a file of people has come."""

    CHECKED = "checked", "Checked, not added yet"
    LOADING = "loading", "Being added"
    DONE = "done", "Added"


class PeopleFile(models.Model):
    """A file of people as it was read: who would be added, and what is wrong."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="people_files"
    )
    uploaded_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=200)
    status = models.CharField(
        max_length=10,
        choices=PeopleFileStatus.choices,
        default=PeopleFileStatus.CHECKED,
    )
    sends_links = models.BooleanField(default=False)
    rows = models.JSONField(default=list, help_text="whom to add, as fields by name")
    known_count = models.PositiveIntegerField(default=0, help_text="there already")
    faults = models.JSONField(default=list, help_text="[line, sentence]")
    done_count = models.PositiveIntegerField(default=0, help_text="rows dealt with")
    added_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
