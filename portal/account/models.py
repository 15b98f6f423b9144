"""The record of accepted one-time codes."""

from __future__ import annotations

from django.db import models


class LastCode(models.Model):
    """The counter of the last one-time code that was accepted for a secret.

    Stored by the secret and not by its authenticator, which does not exist yet when the
    first code confirms that the app was set up correctly.
    """

    secret_digest = models.CharField(max_length=64, unique=True)
    counter = models.BigIntegerField()
    accepted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.secret_digest[:8]}: {self.counter}"
