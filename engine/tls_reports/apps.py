"""Django's configuration of the app for TLS reports."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TlsReportsConfig(AppConfig):
    """Schedules the app's job after each migration."""

    name = "engine.tls_reports"
    label = "tls_reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the scheduling of the job to the end of migrations."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("engine.tls_reports.tasks").schedule_jobs()
