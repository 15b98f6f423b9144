from __future__ import annotations

from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    """The certificates' pages. The tables are the engine's."""

    name = "portal.certificates"
    label = "portal_certificates"
