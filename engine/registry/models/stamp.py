from __future__ import annotations

from django.db import models


class Stamp(models.Model):
    """The registry's version: one row, one higher after each change.

    The mail engine keeps routes in memory and loads them anew when this moves.
    """

    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.version)
