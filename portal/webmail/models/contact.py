"""Contacts and contact groups of a person's address book."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models import Person


class ContactQuerySet(models.QuerySet["Contact"]):
    """Contacts of address books."""

    def matching(self, text: str) -> ContactQuerySet:
        """Contacts in whose name, address or organisation each word of the text is."""
        return self.filter(Contact.found_by(text))


class Contact(FoundByWords):
    """An entry of a person's own address book.

    A book holds few enough contacts to read the words of all, with no index of them.
    """

    FOUND_BY = ("name", "address", "organisation")

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="contacts"
    )
    name = models.CharField(max_length=150)
    address = models.CharField(max_length=254)
    key = models.CharField(max_length=254, help_text="the address for look-ups")
    organisation = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=500, blank=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["person", "name", "id"], name="contact_book"),
            unwritten_index("contact_no_words"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="contact_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"


class ContactGroup(models.Model):
    """Contacts that a person writes to together; expanded on the compose page."""

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="contact_groups"
    )
    name = models.CharField(max_length=100)
    contacts = models.ManyToManyField(Contact, related_name="groups", blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"], name="contact_group_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
