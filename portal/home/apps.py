"""The Django app of the public pages."""

from __future__ import annotations

from django.apps import AppConfig


class HomeConfig(AppConfig):
    """The public pages."""

    name = "portal.home"
    label = "home"
    default_auto_field = "django.db.models.BigAutoField"
