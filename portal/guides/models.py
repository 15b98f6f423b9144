"""Pages that editors write, what the loader wrote of them, and readers' feedback."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from engine.folding.words import index_words
from portal.guides.blocks import BodyBlock
from portal.guides.bundled import videos
from portal.guides.choices import Audience, Topic
from portal.guides.rendering import guide_page, index_page

REVIEW_EVERY = timedelta(days=180)


def today() -> date:
    """Returns today's date here: the default of a page's last review."""
    return timezone.localdate()


def next_review() -> date:
    """Returns the date of the next review, for a page reviewed today."""
    return timezone.localdate() + REVIEW_EVERY


class GuideIndex(Page):
    """The list of all guides, by topic."""

    introduction = models.CharField(max_length=250, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["guides.Guide", "guides.VideoGuide"]
    max_count = 1
    template = "guides/index.html"

    class Meta:
        verbose_name = "list of guides"

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        context = super().get_context(request, *args, **kwargs)
        pages = self.get_children().live().specific()
        return context | index_page.context(request, list(pages))


class ReviewedPage(Page):
    """A page with an owner, the date of its last review, and the date of the next."""

    topic = models.CharField(max_length=20, choices=Topic.choices)
    position = models.PositiveSmallIntegerField(
        default=100, help_text="Lower comes first within its topic."
    )
    summary = models.CharField(max_length=250)
    words = models.CharField(
        "search words",
        max_length=250,
        blank=True,
        help_text="Words that readers search for and the text does not contain.",
    )
    audience = models.CharField(
        max_length=20, choices=Audience.choices, default=Audience.EVERYONE
    )
    kept_by = models.CharField(
        "owner", max_length=100, help_text="The team that keeps this page up to date."
    )
    reviewed_on = models.DateField("last reviewed", default=today)
    review_due_on = models.DateField("review due", default=next_review)

    parent_page_types = ["guides.GuideIndex"]
    subpage_types: list[str] = []
    search_fields = [
        *Page.search_fields,
        index.SearchField("summary", boost=4),
        index.SearchField("words", boost=4),
        index.SearchField("folded"),
        # Which the editors' own search asks.
        index.AutocompleteField("folded_title"),
    ]
    review_panels = [
        FieldPanel("topic"),
        FieldPanel("position"),
        FieldPanel("audience"),
        FieldPanel("words"),
        MultiFieldPanel(
            [
                FieldPanel("kept_by"),
                FieldPanel("reviewed_on"),
                FieldPanel("review_due_on"),
            ],
            heading="Review",
        ),
    ]

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self.review_due_on <= self.reviewed_on:
            raise ValidationError(
                {"review_due_on": "Choose a date after the last review."}
            )

    @property
    def text(self) -> str:
        """What the page says below its summary."""
        raise NotImplementedError

    @property
    def folded(self) -> str:
        """Every word by which the page is found, folded, for the search index."""
        texts = (self.title, self.summary, self.words, self.text)
        return " ".join(sorted(index_words("\n".join(texts))))

    @property
    def folded_title(self) -> str:
        """Every word of the title, folded."""
        return " ".join(sorted(index_words(self.title)))

    @property
    def is_review_due(self) -> bool:
        """Whether the next review is due today or overdue."""
        return self.review_due_on <= timezone.localdate()


class Guide(ReviewedPage):
    """A written guide: how to do one thing, in steps."""

    body = StreamField(BodyBlock())
    related = ParentalManyToManyField("self", blank=True, symmetrical=False)

    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("body"),
        FieldPanel("related"),
        *ReviewedPage.review_panels,
    ]
    search_fields = [*ReviewedPage.search_fields, index.SearchField("body")]
    template = "guides/guide.html"

    @property
    def text(self) -> str:
        """The text of all blocks."""
        return "\n".join(self.body.stream_block.get_searchable_content(self.body))

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        context = super().get_context(request, *args, **kwargs)
        # A preview holds `related` in memory, where only filter() is supported.
        related = self.related.filter(live=True)
        return context | guide_page.context(request, body=self.body, related=related)


class VideoGuide(ReviewedPage):
    """A screen recording, with its transcript beside it."""

    film = models.CharField(max_length=40, choices=videos.choices, unique=True)

    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("film"),
        *ReviewedPage.review_panels,
    ]
    search_fields = [*ReviewedPage.search_fields, index.SearchField("transcript")]
    template = "guides/video.html"

    class Meta:
        verbose_name = "video guide"

    @property
    def script(self) -> videos.Film:
        """The script and the recorded times of the video."""
        return videos.film(self.film)

    @property
    def transcript(self) -> str:
        """The text of all captions, for the search index."""
        return " ".join(scene.says for scene in self.script.scenes)

    @property
    def text(self) -> str:
        """The transcript."""
        return self.transcript

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        context = super().get_context(request, *args, **kwargs)
        return context | {"film": self.script}


class LoadedGuide(models.Model):
    """The version of a bundled guide that the loader wrote last.

    The row outlives its page, so that a guide that an editor removed is not loaded
    again.
    """

    slug = models.SlugField(max_length=100, unique=True)
    digest = models.CharField(max_length=64)
    revision = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.slug


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    """Aggregates of feedback."""

    def by_page(self) -> models.QuerySet[Any, Any]:
        """Counts useful and not useful answers for each revision of each page."""
        return (
            self.values("page_id", "page__title", "revision")
            .annotate(
                yes=Count("pk", filter=Q(is_useful=True)),
                no=Count("pk", filter=Q(is_useful=False)),
            )
            .order_by("-no", "page__title", "-revision")
        )


class Feedback(models.Model):
    """One reader's answer whether a page was useful. It identifies nobody."""

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
