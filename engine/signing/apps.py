from __future__ import annotations

from django.apps import AppConfig


class SigningConfig(AppConfig):
    """The app of the signing keys."""

    name = "engine.signing"
    label = "signing"
    default_auto_field = "django.db.models.BigAutoField"
