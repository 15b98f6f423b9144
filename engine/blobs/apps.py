"""Django's configuration of the app of blobs."""

from __future__ import annotations

from django.apps import AppConfig


class BlobsConfig(AppConfig):
    """The app of the pause in deletions. Blobs themselves have no table."""

    name = "engine.blobs"
    label = "blobs"
    default_auto_field = "django.db.models.BigAutoField"
