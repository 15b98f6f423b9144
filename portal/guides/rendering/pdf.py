"""A guide as a paper: an accessible PDF, made once for each version."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.template.loader import render_to_string
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from portal.guides.models import Guide
from portal.guides.rendering import outline, pictures, placeholders

KEPT = timedelta(days=30)
# Of the layout: one more with every change of it, so that no old paper is shown.
EDITION = 2
# Pictures are inside the page that is printed: nothing is fetched.
FETCHES_NOTHING = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)


def pdf(guide: Guide) -> bytes:
    """The guide as PDF/UA-1, with what every kind of account has to do."""
    version = f"{EDITION}-{guide.pk}-{guide.live_revision_id}-{placeholders.digest()}"
    key = f"guide-pdf-{version}"
    kept: bytes | None = cache.get(key)
    if kept is None:
        kept = _render(guide)
        cache.set(key, kept, KEPT.total_seconds())
    return kept


def _render(guide: Guide) -> bytes:
    context = {
        "page": guide,
        "parts": outline.Outliner(pictures.in_paper).parts(guide.body),
        "postern": settings.POSTERN,
    }
    html = render_to_string("guides/pdf.html", context)
    # A paper leaves the site: its links must say where they lead.
    page = HTML(
        string=html, base_url=settings.POSTERN.site_url, url_fetcher=FETCHES_NOTHING
    )
    made: bytes = page.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True)
    return made
