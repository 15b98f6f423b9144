"""The Django app of the guides."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class GuidesConfig(AppConfig):
    """Registers the signal handlers for editors."""

    name = "portal.guides"
    label = "guides"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("portal.guides.editor_permissions")
