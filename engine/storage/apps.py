"""Django's configuration of the storage app."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StorageConfig(AppConfig):
    """Schedules the app's jobs after each migration."""

    name = "engine.storage"
    label = "storage"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects what follows migrations, and what follows the end of a right."""
        post_migrate.connect(_schedule_jobs, sender=self)
        import_module("engine.storage.organising.assignments").follow_rights()


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("engine.storage.tasks").schedule_jobs()
