"""Django's configuration of files that are sent as links."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LinkedFilesConfig(AppConfig):
    """Schedules the app's jobs after each migration."""

    name = "engine.linked_files"
    label = "linked_files"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the scheduling of jobs to the end of migrations."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("engine.linked_files.tasks").schedule_jobs()
