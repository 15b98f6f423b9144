"""Searches that a person keeps in the sidebar."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox, Person


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    """Searches that people keep."""

    def of(self, person: Person, mailbox: Mailbox) -> SavedSearchQuerySet:
        """Those of one person in one mailbox, by name."""
        rows = self.filter(person=person, mailbox=mailbox)
        return rows[: SavedSearch.MAX_SEARCHES]


class SavedSearch(models.Model):
    """A search of one mailbox under a name, of one person."""

    MAX_SEARCHES = 20  # of one person in one mailbox: every page lists them
    MAX_NAME = 40

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="saved_searches", db_index=False
    )
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    query = models.CharField(max_length=500)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "mailbox", "name"], name="saved_search_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
