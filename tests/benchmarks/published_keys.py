"""Keys that sign mail, as if their records had been found in the DNS."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from engine.registry.actions import mail_keys
from engine.signing.models import KeyRecord


def publish() -> None:
    """Makes the community's keys and puts them to use."""
    KeyRecord.objects.bulk_create(
        KeyRecord(
            domain=settings.POSTERN.community_domain,
            key=key,
            is_visible=True,
            checked_at=timezone.now(),
        )
        for key in mail_keys.make_missing(by=None)
    )
    mail_keys.promote(by=None)
