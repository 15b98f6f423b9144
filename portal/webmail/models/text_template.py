"""Templates of text: a person's own, or an organisation's for all its people."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Organisation, Person


class TextTemplate(models.Model):
    """A text to insert while writing, of one person or of one organisation."""

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, related_name="text_templates"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, related_name="text_templates"
    )
    name = models.CharField(max_length=60)
    text = models.TextField(max_length=10_000)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"], name="template_of_person_once"
            ),
            models.UniqueConstraint(
                fields=["organisation", "name"], name="template_of_organisation_once"
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=True, organisation__isnull=False)
                | models.Q(person__isnull=False, organisation__isnull=True),
                name="template_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name
