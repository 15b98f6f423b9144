"""The Django app of the web server: its management command."""

from __future__ import annotations

from django.apps import AppConfig


class ServingConfig(AppConfig):
    """The web server."""

    name = "portal.serving"
