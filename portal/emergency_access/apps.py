from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EmergencyAccessConfig(AppConfig):
    """The app of emergency access, whose job is scheduled after each migration."""

    name = "portal.emergency_access"
    label = "emergency_access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the scheduling of the job to the end of migrations."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here: django-q2 has no models yet when this module is loaded.
    import_module("portal.emergency_access.tasks").schedule_jobs()
