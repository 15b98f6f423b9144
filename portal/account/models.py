from __future__ import annotations

from django.db import models


class LastCode(models.Model):
    """The last one-time code that was accepted of one secret, by its counter.

    Kept by the secret and not by its authenticator, which does not exist yet while the
    first code proves that the app was set up right.
    """

    secret_digest = models.CharField(max_length=64, unique=True)
    counter = models.BigIntegerField()
    accepted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.secret_digest[:8]}: {self.counter}"
