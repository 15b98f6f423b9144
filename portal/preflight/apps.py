from __future__ import annotations

from django.apps import AppConfig


class PreflightConfig(AppConfig):
    """Makes the command that checks a host before the start available."""

    name = "portal.preflight"
    label = "preflight"
    default_auto_field = "django.db.models.BigAutoField"
