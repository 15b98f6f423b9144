"""Django's configuration of the app of backups."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Adds the alarm for a backup that failed."""

    name = "engine.backups"
    label = "backups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the alarm's rule, which needs the models."""
        import_module("engine.backups.problems")
