from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OnboardingConfig(AppConfig):
    name = "onboarding"
    label = "onboarding"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_prepare, sender=self)


def _prepare(**_: Any) -> None:
    # Loaded only now: it needs models, and the mail engine needs none of what it loads.
    import_module("onboarding.tasks").schedule_jobs()
    import_module("onboarding.notices.tasks").schedule_jobs()
    import_module("onboarding.terms").publish_first()
