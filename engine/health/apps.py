from __future__ import annotations

from django.apps import AppConfig


class HealthConfig(AppConfig):
    """The app of heartbeats, alarms, minute samples and noted backups."""

    name = "engine.health"
    label = "health"
    default_auto_field = "django.db.models.BigAutoField"
