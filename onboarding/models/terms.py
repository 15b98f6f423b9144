"""The published terms of use, and the signatures under them."""

from __future__ import annotations

from django.db import models

from onboarding.models.application import Application


class Audience(models.TextChoices):
    """The kind of organisation that a version of the terms is for."""

    ORGANISATION = "organisation", "Organisations"
    SOLE_USER = "sole_user", "Sole users"


class TermsQuerySet(models.QuerySet["Terms"]):
    """Sets of published terms."""

    def current(self, audience: str) -> Terms:
        """Returns the newest version for an audience. Raises Terms.DoesNotExist."""
        return self.filter(audience=audience).latest("version")


class Terms(models.Model):
    """One version of the terms of use. A published version never changes.

    In `text`, a line that starts with `# ` is a heading and blank lines separate
    paragraphs; onboarding.terms parses it.
    """

    audience = models.CharField(max_length=20, choices=Audience.choices)
    version = models.PositiveIntegerField()
    text = models.TextField()
    published_at = models.DateTimeField(auto_now_add=True)

    objects = TermsQuerySet.as_manager()

    class Meta:
        ordering = ["audience", "-version"]
        verbose_name_plural = "terms"
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "version"], name="terms_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_audience_display()}, version {self.version}"


class Signature(models.Model):
    """A signatory's acceptance of one version of the terms; `signed_at` is null until then.

    An organisation signs again each year, so it has several; the newest counts.
    """

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="signatures"
    )
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    job_title = models.CharField(max_length=150)
    address = models.CharField(max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name}, {self.job_title}"
