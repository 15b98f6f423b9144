from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The app of job runs, beside django-q2's own queue."""

    name = "engine.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
