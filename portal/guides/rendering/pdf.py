"""Renders a guide as an accessible PDF, cached for each version."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache

from onboarding.letters.letters import to_pdf
from portal.guides.models import Guide
from portal.guides.rendering import outline, pictures, placeholders

CACHE_TIME = timedelta(days=30)
# The version of the layout, part of the cache key: increment it with every change.
LAYOUT_VERSION = 3


def pdf(guide: Guide) -> bytes:
    """Returns the guide as PDF/UA-1, with the versions for all kinds of account."""
    version = (
        f"{LAYOUT_VERSION}-{guide.pk}-{guide.live_revision_id}-{placeholders.digest()}"
    )
    key = f"guide-pdf-{version}"
    kept: bytes | None = cache.get(key)
    if kept is None:
        kept = _render(guide)
        cache.set(key, kept, CACHE_TIME.total_seconds())
    return kept


def _render(guide: Guide) -> bytes:
    context: dict[str, object] = {
        "page": guide,
        "parts": outline.Outliner(pictures.in_pdf).parts(guide.body),
        "postern": settings.POSTERN,
    }
    # Only data URLs are fetched: an editor's link must not make the server fetch anything.
    # With base_url, because links in a file on a reader's disk must be absolute.
    return to_pdf(
        "guides/pdf.html",
        context,
        allowed_protocols=("data",),
        base_url=settings.POSTERN.site_url,
    )
