"""The Django app of browser sessions."""

from __future__ import annotations

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """Browser sessions."""

    name = "portal.sessions"
    label = "web_sessions"
    default_auto_field = "django.db.models.BigAutoField"
