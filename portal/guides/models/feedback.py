from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, Q


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def by_page(self) -> models.QuerySet[Any, Any]:
        """For each version of each page: how many found it useful, and how many not."""
        return (
            self.values("page_id", "page__title", "revision")
            .annotate(
                yes=Count("pk", filter=Q(is_useful=True)),
                no=Count("pk", filter=Q(is_useful=False)),
            )
            .order_by("-no", "page__title", "-revision")
        )


class Feedback(models.Model):
    """Whether a page was useful to somebody. It says nothing of who that was."""

    page = models.ForeignKey(
        "wagtailcore.Page", on_delete=models.CASCADE, related_name="feedback"
    )
    revision = models.PositiveBigIntegerField(
        help_text="the version that was read, by the number of its revision"
    )
    is_useful = models.BooleanField()
    comment = models.TextField(blank=True, max_length=1000)
    at = models.DateTimeField(auto_now_add=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{self.page}: {'useful' if self.is_useful else 'not useful'}"
