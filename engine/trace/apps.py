from __future__ import annotations

from django.apps import AppConfig


class TraceConfig(AppConfig):
    name = "engine.trace"
    label = "trace"
    default_auto_field = "django.db.models.BigAutoField"
