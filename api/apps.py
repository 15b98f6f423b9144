"""The Django app of the API."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.http import HttpRequest

from engine.backups.signals import restored
from portal.middleware import body_limit


class ApiConfig(AppConfig):
    """Registers the alarm, the body limit and the jobs of the API."""

    name = "api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        body_limit.recognise_programs.append(_bears_valid_key)
        # Imported here because it defines queries on models, which Django loads only now.
        import_module("api.webhooks.alarms")
        post_migrate.connect(_schedule_jobs, sender=self)
        restored.connect(_end_tokens)


def _bears_valid_key(request: HttpRequest) -> bool:
    """Returns whether a request may have a large body, before the API reads it."""
    bears_key: bool = import_module("api.auth.bearer").bears_valid_key(request)
    return bears_key


def _schedule_jobs(**_: Any) -> None:
    import_module("api.tasks").schedule_jobs()


def _end_tokens(**_: Any) -> None:
    """Ends the access tokens of a restored database. Clients ask for others."""
    import_module("api.models").AccessToken.objects.all().delete()
