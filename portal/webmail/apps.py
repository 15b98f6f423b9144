from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WebmailConfig(AppConfig):
    name = "portal.webmail"
    label = "webmail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Loaded only now: django-q2's models are not there when this module is.
    import_module("portal.webmail.tasks").schedule_jobs()
