"""The last backup's problem, and restores."""

from __future__ import annotations

from django.db import models

TEXT_LENGTH = 500


class Problem(models.Model):
    """Why the last backup failed or is not whole; no row where it succeeded."""

    at = models.DateTimeField()
    text = models.CharField(max_length=TEXT_LENGTH)
    is_permanent = models.BooleanField()

    def __str__(self) -> str:
        return self.text


class Restore(models.Model):
    """A backup that this database was restored from.

    While `finished_at` is unset no process starts: blobs may be missing.
    """

    name = models.CharField(max_length=40)
    taken_at = models.DateTimeField(help_text="the moment that the backup shows")
    began_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backup {self.name}"
