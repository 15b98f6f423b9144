"""Labels of a mailbox, and which messages have them."""

from __future__ import annotations

from django.db import models

from engine.registry.models import Mailbox
from engine.storage.models.group_work import reference_to_message


class LabelColour(models.TextChoices):
    """Colours of labels. A label is always shown with its name, too."""

    GREY = "grey", "Grey"
    BLUE = "blue", "Blue"
    GREEN = "green", "Green"
    YELLOW = "yellow", "Yellow"
    ORANGE = "orange", "Orange"
    RED = "red", "Red"
    PINK = "pink", "Pink"
    PURPLE = "purple", "Purple"


class Label(models.Model):
    """A label that messages of one mailbox can have."""

    MAX_LABELS = 30  # of one mailbox: each page lists them
    MAX_NAME = 30

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="labels"
    )
    name = models.CharField(max_length=MAX_NAME)
    colour = models.CharField(
        max_length=10, choices=LabelColour.choices, default=LabelColour.GREY
    )

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "name"], name="label_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class MessageLabel(models.Model):
    """A label of one message."""

    label = models.ForeignKey(Label, on_delete=models.CASCADE, db_index=False)
    message = reference_to_message()

    class Meta:
        indexes = [
            # The list of a label, newest message first.
            models.Index(fields=["label", "-message"], name="message_label_list")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "label"], name="message_label_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label_id} on {self.message_id}"
