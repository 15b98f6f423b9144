from __future__ import annotations

from django.apps import AppConfig


class OrganisationConfig(AppConfig):
    """Settings of the organisation pages' app."""

    name = "portal.organisation"
    label = "organisation"
    default_auto_field = "django.db.models.BigAutoField"
