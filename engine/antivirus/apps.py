from __future__ import annotations

from django.apps import AppConfig


class AntivirusConfig(AppConfig):
    name = "engine.antivirus"
    label = "antivirus"
    default_auto_field = "django.db.models.BigAutoField"
