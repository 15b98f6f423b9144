from __future__ import annotations

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "portal.sessions"
    label = "web_sessions"
    default_auto_field = "django.db.models.BigAutoField"
