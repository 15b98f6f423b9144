from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccountConfig(AppConfig):
    name = "portal.account"
    label = "people_account"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("portal.account.receivers")
