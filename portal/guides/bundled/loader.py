"""Loads the bundled guides into Wagtail, and updates them with each release.

A page that an editor has changed or removed is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.text import capfirst
from wagtail.coreutils import get_supported_content_language_variant
from wagtail.models import Locale, Page, Site
from wagtail.search.index import insert_or_update_object

from engine.registry import index_passes
from portal.guides import editor_permissions
from portal.guides.bundled import guide_files, videos
from portal.guides.bundled.guide_files import Source
from portal.guides.models import (
    REVIEW_EVERY,
    Guide,
    GuideIndex,
    LoadedGuide,
    ReviewedPage,
    VideoGuide,
)

INTRODUCTION = "How to join, send, receive, and get help, one task at a time."


@transaction.atomic
def load() -> list[str]:
    """Writes new and changed guides; returns the titles of the pages written.

    Running it twice changes nothing. Raises ContentError for a file that is not valid.
    """
    index = _index()
    known = {row.slug: row for row in LoadedGuide.objects.all()}
    changed = [
        source
        for source in guide_files.sources()
        if source.slug not in known or known[source.slug].digest != source.digest
    ]
    written = [
        (source, page)
        for source in changed
        if (page := _page(index, source, known.get(source.slug))) is not None
    ]
    # In a second pass, because guides link to each other and need every page to exist.
    for source, page in written:
        _publish(source, page)
    index_passes.step(
        "guides", partial(_index_others, {page.pk for _, page in written})
    )
    return [page.title for _, page in written]


def _index_others(written: Collection[int], _: int) -> None:
    """Brings what search knows of all other guides to the present folding."""
    for kind in (Guide, VideoGuide):
        for page in kind.objects.exclude(pk__in=written):
            insert_or_update_object(page)


def _index() -> GuideIndex:
    """Returns the list of guides, which is the root page of Wagtail's site."""
    index: GuideIndex | None = GuideIndex.objects.first()
    if index is None:
        index = GuideIndex(title="Guides", slug="guides", introduction=INTRODUCTION)
        _root().add_child(instance=index)
        _open_site(index)
        editor_permissions.prepare(index)
    return index


def _root() -> Page:
    """Returns the root of all pages, which is missing where tables were emptied."""
    code = get_supported_content_language_variant(settings.LANGUAGE_CODE)
    Locale.objects.get_or_create(language_code=code)
    root = Page.get_first_root_node()
    return root or Page.add_root(instance=Page(title="Root", slug="root"))


def _open_site(index: GuideIndex) -> None:
    where = urlsplit(settings.POSTERN.site_url)
    site = Site.objects.filter(is_default_site=True).first() or Site(
        is_default_site=True
    )
    welcome = site.root_page if site.root_page_id else None
    site.hostname = where.hostname or "localhost"
    site.port = where.port or (443 if where.scheme == "https" else 80)
    site.site_name = settings.POSTERN.community_name
    site.root_page = index
    site.save()
    # The welcome page that Wagtail's migrations create.
    if welcome is not None and welcome.specific_class is Page:
        welcome.delete()


def _page(
    index: GuideIndex, source: Source, loaded: LoadedGuide | None
) -> ReviewedPage | None:
    """Returns the page to write; None where an editor changed or removed it."""
    page = index.get_children().filter(slug=source.slug).specific().first()
    if loaded is None:
        return None if page is not None else _new(index, source)
    if page is None or page.latest_revision_id != loaded.revision:
        return None
    return _filled(page, source)


def _new(index: GuideIndex, source: Source) -> ReviewedPage:
    kind = VideoGuide if "film" in source.facts else Guide
    page = _filled(kind(slug=source.slug, live=False), source)
    index.add_child(instance=page)
    return page


def _filled(page: ReviewedPage, source: Source) -> ReviewedPage:
    facts = source.facts
    page.title = facts["title"]
    page.seo_title = ""
    page.topic = facts["topic"]
    page.position = int(facts.get("position", 100))
    page.summary = capfirst(facts["summary"])
    page.words = facts.get("words", "")
    page.audience = facts.get("audience", "everyone")
    page.kept_by = facts["owner"]
    page.reviewed_on = source.reviewed_on
    page.review_due_on = source.reviewed_on + REVIEW_EVERY
    if isinstance(page, VideoGuide):
        page.film = videos.film(facts["film"]).name
    else:
        page.body = json.dumps(source.body)
    return page


def _publish(source: Source, page: ReviewedPage) -> None:
    if isinstance(page, Guide):
        page.related = Guide.objects.filter(slug__in=source.related)
    page.full_clean()
    revision = page.save_revision()
    revision.publish()
    LoadedGuide.objects.update_or_create(
        slug=source.slug, defaults={"digest": source.digest, "revision": revision.pk}
    )
