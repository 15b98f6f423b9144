from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from portal.guides.blocks import BodyBlock
from portal.guides.bundled import videos
from portal.guides.choices import Audience, Topic
from portal.guides.rendering import guide_page, index_page

REVIEW_EVERY = timedelta(days=180)


def today() -> date:
    return timezone.localdate()


def next_review() -> date:
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
    """A page that somebody keeps right: when it was looked at, and when to look again."""

    topic = models.CharField(max_length=20, choices=Topic.choices)
    position = models.PositiveSmallIntegerField(
        default=100, help_text="Lower comes first within its topic."
    )
    summary = models.CharField(max_length=250)
    words = models.CharField(
        "words that readers search for",
        max_length=250,
        blank=True,
        help_text="Those that the text does not say.",
    )
    audience = models.CharField(
        max_length=20, choices=Audience.choices, default=Audience.EVERYONE
    )
    kept_by = models.CharField(
        "owner", max_length=100, help_text="The team that keeps this page right."
    )
    reviewed_on = models.DateField("last reviewed", default=today)
    review_due_on = models.DateField("review due", default=next_review)

    parent_page_types = ["guides.GuideIndex"]
    subpage_types: list[str] = []
    search_fields = [
        *Page.search_fields,
        index.SearchField("summary", boost=4),
        index.SearchField("words", boost=4),
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
                {"review_due_on": "The next review must be after the last one."}
            )

    @property
    def is_review_due(self) -> bool:
        return self.review_due_on <= timezone.localdate()


class Guide(ReviewedPage):
    """How to do one thing, in steps."""

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

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        context = super().get_context(request, *args, **kwargs)
        return context | guide_page.context(request, self)


class VideoGuide(ReviewedPage):
    """A film of a screen, with the same in words beside it."""

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
        return videos.film(self.film)

    @property
    def transcript(self) -> str:
        """Everything that the captions say, for searching."""
        return " ".join(scene.says for scene in self.script.scenes)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        context = super().get_context(request, *args, **kwargs)
        return context | {"film": self.script}
