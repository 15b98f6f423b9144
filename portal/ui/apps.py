from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Settings of the app of shared components."""

    name = "portal.ui"
    label = "ui"
    default_auto_field = "django.db.models.BigAutoField"
