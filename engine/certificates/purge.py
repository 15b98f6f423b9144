"""Deletes the rows of old certificates, whose files can still be verified."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from engine.certificates.models import Certificate
from engine.database import clock


def purge() -> int:
    """Deletes certificates as old as the trace that they state; returns how many."""
    before = clock.now() - timedelta(days=settings.POSTERN.proof_days)
    return Certificate.objects.filter(made_at__lt=before).delete()[0]
