"""The Django app of the helpdesk."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

JOBS = ("portal.helpdesk.intake.tasks", "portal.helpdesk.outgoing.tasks")


class HelpdeskConfig(AppConfig):
    """Registers the collection of mail and the schedules."""

    name = "portal.helpdesk"
    label = "helpdesk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_schedule_jobs, sender=self)
        import_module(JOBS[0]).collect_on_arrival()


def _schedule_jobs(**_: Any) -> None:
    # Imported here because Django loads models only after the app registry is ready.
    for name in JOBS:
        import_module(name).schedule_jobs()
