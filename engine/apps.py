from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from engine.secrets import state_folder


class EngineConfig(AppConfig):
    name = "engine"
    label = "engine"

    def ready(self) -> None:
        state_folder.folder()
        state_folder.keep_private()
        connection_created.connect(_keep_database_private)
        if settings.SECRET_KEY_FALLBACKS:
            # It loads django-q2, of which the mail engine needs nothing otherwise.
            import_module("engine.jobs.packages").accept_earlier_keys()


def _keep_database_private(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite":
        state_folder.keep_database_private(str(connection.settings_dict["NAME"]))
