from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RegistryConfig(AppConfig):
    """The app of the registry: connects its signals, and schedules its jobs."""

    name = "engine.registry"
    label = "registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects signals. They need models, which cannot be imported earlier."""
        import_module("engine.registry.signals")
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Loaded only now: it needs models, and the mail engine needs none of what it loads.
    import_module("engine.registry.tasks").schedule_jobs()
