from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WebmailConfig(AppConfig):
    """The webmail app: its own tables, and scheduled jobs."""

    name = "portal.webmail"
    label = "webmail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the scheduled jobs after each migration."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here: django-q2 has no models yet when this module is loaded.
    import_module("portal.webmail.tasks").schedule_jobs()
