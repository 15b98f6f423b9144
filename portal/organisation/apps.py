from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrganisationConfig(AppConfig):
    """Registers the scheduled jobs of the organisation pages after migrations."""

    name = "portal.organisation"
    label = "organisation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the registration to the end of `migrate`."""
        post_migrate.connect(_schedule_jobs, sender=self)


def _schedule_jobs(**_: Any) -> None:
    # Imported here, because django-q2's models do not exist yet when this module loads.
    import_module("portal.organisation.tasks").schedule_jobs()
