from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Makes the commands that take the guides' pictures and videos available."""

    name = "portal.demo"
    label = "demo"
    default_auto_field = "django.db.models.BigAutoField"
