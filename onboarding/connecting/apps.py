from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import timezone

from engine.backups.signals import restored


class ConnectingConfig(AppConfig):
    """Registers scheduled jobs after migrations."""

    name = "onboarding.connecting"
    label = "connecting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the registration to the end of `migrate`."""
        post_migrate.connect(_schedule_jobs, sender=self)
        restored.connect(_end_shared_links)


def _schedule_jobs(**_: Any) -> None:
    import_module("onboarding.connecting.tasks").schedule_jobs()


def _end_shared_links(**_: Any) -> None:
    """Ends the shared links of a restored database: revoked ones would work again."""
    links = import_module("onboarding.connecting.models").SharedLink.objects
    links.live().update(expires_at=timezone.now())
