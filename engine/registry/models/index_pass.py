from __future__ import annotations

from django.db import models


class IndexPass(models.Model):
    """How far an index has been written again after the way words are folded changed."""

    name = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveSmallIntegerField(
        default=0, help_text="of the folding that the index is being brought to"
    )
    position = models.BigIntegerField(
        default=0, help_text="where the next step begins, to the index"
    )
    is_finished = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.position}"
