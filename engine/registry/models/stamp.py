from __future__ import annotations

from django.db import models


class Stamp(models.Model):
    """The registry's version: one row, another value after each change.

    Routes are kept in memory and loaded anew when this differs. The value is random:
    two transactions, one of them rolled back, can never arrive at the same one.
    """

    version = models.CharField(max_length=16)

    def __str__(self) -> str:
        return self.version
