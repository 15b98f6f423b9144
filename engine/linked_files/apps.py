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
        """Connects the scheduling of jobs, and has files scanned by re-scans."""
        post_migrate.connect(_schedule_jobs, sender=self)
        # Imported here, because it needs the models.
        rescanning = import_module("engine.linked_files.rescanning")
        other_contents = import_module("engine.incidents.other_contents")
        holder = other_contents.Holder(rescanning.scan, rescanning.close)
        other_contents.register(holder)


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("engine.linked_files.tasks").schedule_jobs()
