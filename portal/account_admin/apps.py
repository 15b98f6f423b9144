from __future__ import annotations

from django.apps import AppConfig


class AccountAdminConfig(AppConfig):
    """Settings of the app; its model belongs to the organisation app's label."""

    name = "portal.account_admin"
    label = "account_admin"
    default_auto_field = "django.db.models.BigAutoField"
