"""Django's configuration of the antivirus app."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AntivirusConfig(AppConfig):
    """Schedules the app's jobs after each migration."""

    name = "engine.antivirus"
    label = "antivirus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the scheduling of jobs to the end of migrations."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Loaded only now: it needs models, and the mail engine needs none of what it loads.
    import_module("engine.antivirus.tasks").schedule_jobs()
