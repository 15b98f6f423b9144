from __future__ import annotations

from django.db import models


class LoadedGuide(models.Model):
    """What the loader wrote of a guide that comes with the product.

    It outlives its page, so that what an editor removed does not come back.
    """

    slug = models.SlugField(max_length=100, unique=True)
    digest = models.CharField(max_length=64)
    revision = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.slug
