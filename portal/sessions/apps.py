"""The Django app of browser sessions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig

from engine.backups.signals import restored


class SessionsConfig(AppConfig):
    """Browser sessions, which end with a restore."""

    name = "portal.sessions"
    label = "web_sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        restored.connect(_end_sessions)


def _end_sessions(**_: Any) -> None:
    """Ends the sessions of a restored database: signed-out ones would work again."""
    import_module("portal.sessions.models").WebSession.objects.all().delete()
