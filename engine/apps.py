"""Prepares every process that starts Django: private files, and jobs signed earlier."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_started
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from engine.database.dead_connections import close_if_dead
from engine.secrets import state_folder


class EngineConfig(AppConfig):
    """Registers the engine with Django."""

    name = "engine"
    label = "engine"

    def ready(self) -> None:
        """Makes the state private, and reads jobs that an earlier secret key signed.

        Raises ImproperlyConfigured where the state folder cannot be made private.
        """
        state_folder.subfolder()
        state_folder.restrict_permissions()
        # SQLite creates its files on the first connection, after this method.
        connection_created.connect(_restrict_database_permissions)
        request_started.connect(close_if_dead)
        if settings.SECRET_KEY_FALLBACKS:
            # Loads django-q2, which the mail engine does not need otherwise.
            import_module("engine.jobs.package_signing").accept_earlier_keys()


def _restrict_database_permissions(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite":
        state_folder.restrict_database_permissions(
            str(connection.settings_dict["NAME"])
        )
