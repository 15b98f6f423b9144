from __future__ import annotations

from django.apps import AppConfig


class LauncherConfig(AppConfig):
    """Makes the command that starts the whole service available."""

    name = "portal.launcher"
    label = "launcher"
    default_auto_field = "django.db.models.BigAutoField"
