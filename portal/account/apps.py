"""The Django app of the account."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountConfig(AppConfig):
    """Registers the signal handlers and the schedule."""

    name = "portal.account"
    label = "people_account"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("portal.account.signals")
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here because Django loads models only after the app registry is ready.
    import_module("portal.account.tasks").schedule_jobs()
