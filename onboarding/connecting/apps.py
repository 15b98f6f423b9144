from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConnectingConfig(AppConfig):
    """Registers scheduled jobs after migrations."""

    name = "onboarding.connecting"
    label = "connecting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the registration to the end of `migrate`."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    import_module("onboarding.connecting.tasks").schedule_jobs()
