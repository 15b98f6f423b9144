from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.http import HttpRequest

from portal.ui import body_limit


class ApiConfig(AppConfig):
    name = "api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        body_limit.recognise_programs.append(_is_known)
        # It needs models, which cannot be imported before this moment.
        import_module("api.webhooks.alarms")
        post_migrate.connect(_schedule_jobs, sender=self)


def _is_known(request: HttpRequest) -> bool:
    """Whether a program may send something large, asked before the API reads it."""
    is_known: bool = import_module("api.auth.bearer").is_known(request)
    return is_known


def _schedule_jobs(**_: Any) -> None:
    import_module("api.tasks").schedule_jobs()
