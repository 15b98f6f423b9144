from __future__ import annotations

from django.db import models

from engine.registry.models.organisation import Organisation


class EntryKind(models.TextChoices):
    """Kinds of entry in the directory."""

    PERSON = "person", "Person"
    ORGANISATION = "organisation", "Organisation"
    LIST = "list", "Distribution list"
    GROUP_MAILBOX = "group_mailbox", "Group mailbox"


class DirectoryEntry(models.Model):
    """An entry of the directory, with the tokens by which it is found.

    Only registry.directory.index writes these rows. The id sorts as the name does, so
    that the database returns matches in alphabetical order without sorting.
    """

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    row_id = models.BigIntegerField()
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="directory_entries"
    )
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=254, blank=True)
    town = models.CharField(max_length=100, blank=True)
    job_title = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_published = models.BooleanField()
    words = models.TextField()

    class Meta:
        verbose_name_plural = "directory entries"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "row_id"], name="directory_entry_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
