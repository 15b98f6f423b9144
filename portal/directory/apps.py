from __future__ import annotations

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """The directory app. It has no tables of its own."""

    name = "portal.directory"
    label = "portal_directory"
