from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Settings of the console's app."""

    name = "portal.console"
    label = "console"
    default_auto_field = "django.db.models.BigAutoField"
