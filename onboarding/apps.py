from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import timezone

from engine.backups.signals import restored


class OnboardingConfig(AppConfig):
    """Registers scheduled jobs and publishes the first terms after migrations."""

    name = "onboarding"
    label = "onboarding"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connects the preparation to the end of `migrate`."""
        post_migrate.connect(_prepare, sender=self)
        restored.connect(_end_links)


def _prepare(**_: Any) -> None:
    # Imported only here: these modules need loaded models, and pull in WeasyPrint, which
    # would cost the mail engine's processes memory for nothing.
    import_module("onboarding.tasks").schedule_jobs()
    import_module("onboarding.notices.tasks").schedule_jobs()
    import_module("onboarding.terms").publish_initial_terms()


def _end_links(**_: Any) -> None:
    """Ends the mailed links of a restored database: used ones would work again."""
    now = timezone.now()
    links = import_module("onboarding.models").Link.objects
    links.filter(expires_at__gt=now).update(expires_at=now)
