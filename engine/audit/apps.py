from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """The app of the audit trail, whose jobs are scheduled after each migration."""

    name = "engine.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the scheduling of the jobs to the end of migrations."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("engine.audit.tasks").schedule_jobs()
