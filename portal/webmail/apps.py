from __future__ import annotations

from django.apps import AppConfig


class WebmailConfig(AppConfig):
    name = "portal.webmail"
    label = "webmail"
    default_auto_field = "django.db.models.BigAutoField"
