"""How a person writes: undo time and signatures."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from engine.registry.models import Mailbox, Person


class UndoTime(models.IntegerChoices):
    """How many seconds a sent message waits, so that it can be undone."""

    NONE = 0, "Send immediately"
    SHORT = 10, "10 seconds"
    LONG = 30, "30 seconds"


class WritingPreferencesQuerySet(models.QuerySet["WritingPreferences"]):
    """Preferences of people."""

    def of(self, person: Person) -> WritingPreferences:
        """Returns a person's preferences, unsaved defaults where they chose none."""
        return self.filter(person=person).first() or WritingPreferences(person=person)


class WritingPreferences(models.Model):
    """A person's preferences for writing messages."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, related_name="writing_preferences"
    )
    undo_seconds = models.PositiveSmallIntegerField(
        choices=UndoTime.choices, default=UndoTime.SHORT
    )
    asks_about_new = models.BooleanField(
        default=True,
        db_default=True,
        help_text="ask before a first message to somebody in another organisation",
    )

    writes_rich_text = models.BooleanField(
        default=False, db_default=False, help_text="write with bold, lists and pictures"
    )

    objects = WritingPreferencesQuerySet.as_manager()

    class Meta:
        db_table = "webmail_habits"
        verbose_name_plural = "writing preferences"

    def __str__(self) -> str:
        return f"{self.person}: {self.undo_time.label}"

    @property
    def undo_time(self) -> UndoTime:
        """The chosen undo time."""
        return UndoTime(self.undo_seconds)

    @property
    def wait(self) -> timedelta:
        """How long a message waits before it leaves."""
        return timedelta(seconds=self.undo_seconds)


class Signature(models.Model):
    """Text appended to the messages of a mailbox."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="signatures"
    )
    name = models.CharField(max_length=60)
    text = models.TextField(max_length=2000)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "name"], name="signature_name_once"
            ),
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=models.Q(is_default=True),
                name="signature_default_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
