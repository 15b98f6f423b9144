"""The uploaded files of people to import, and figures of mail by day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from engine.registry.models import Organisation, Person

# A slice takes seconds, and a job whose process died runs again within half a minute.
STALLED = timedelta(minutes=2)


class PeopleFileStatus(models.TextChoices):
    """The progress of an import."""

    CHECKED = "checked", "Checked, not added yet"
    LOADING = "loading", "Being added"
    DONE = "done", "Added"


class PeopleFile(models.Model):
    """An uploaded file of people: who is to be added, the progress, and the faults."""

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
    rows = models.JSONField(default=list, help_text="people to add, as fields by name")
    known_count = models.PositiveIntegerField(default=0, help_text="there already")
    faults = models.JSONField(default=list, help_text="[line, sentence]")
    done_count = models.PositiveIntegerField(default=0, help_text="rows dealt with")
    added_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(null=True, help_text="when it last went on")
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    def is_stalled(self, now: datetime) -> bool:
        """Returns whether the import is running without progress for STALLED."""
        if self.status != PeopleFileStatus.LOADING:
            return False
        return self.moved_at is None or now - self.moved_at > STALLED


class MailDay(models.Model):
    """How many messages an organisation sent, received and was refused on one day.

    `waiting` is how many of its own still waited when the day was counted last.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="mail_days"
    )
    day = models.DateField(help_text="in the community's time zone")
    sent = models.PositiveBigIntegerField(default=0)
    received = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    waiting = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "day"], name="mail_day_once"
            )
        ]
        indexes = [models.Index(fields=["day"], name="mail_day_age")]

    def __str__(self) -> str:
        return f"{self.organisation_id} on {self.day}"
