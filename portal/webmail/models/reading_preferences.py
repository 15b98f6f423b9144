"""How a person reads: density of lists, and keyboard shortcuts."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Person


class Density(models.TextChoices):
    """How much room a row of a list takes."""

    COMFORTABLE = (
        "comfortable",
        "Comfortable: two lines, with the beginning of the text",
    )
    COMPACT = "compact", "Compact: one line for each message"


class ReadingPreferences(models.Model):
    """A person's preferences for reading messages."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, related_name="reading_preferences"
    )
    density = models.CharField(
        max_length=12, choices=Density.choices, default=Density.COMFORTABLE
    )
    # Off by default: a single key that acts surprises those who use speech input
    # (WCAG 2.1.4).
    uses_shortcuts = models.BooleanField(default=False)

    class Meta:
        db_table = "webmail_reading"
        verbose_name_plural = "reading preferences"

    def __str__(self) -> str:
        return f"{self.person}: {self.density}"

    @property
    def is_compact(self) -> bool:
        """Whether lists show one line for each message."""
        return self.density == Density.COMPACT
