from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The app of the audit trail."""

    name = "engine.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
