from __future__ import annotations

import pytest
from django.test import Client
from wagtail.models import Site

from portal.guides.bundled.guide_files import ContentError
from portal.guides.models import Guide, GuideIndex
from tests.portal.guides.conftest import GuideFolder


def edit(guide: Guide, **fields: object) -> None:
    """Edits and publishes a guide as an editor does in the console."""
    for name, value in fields.items():
        setattr(guide, name, value)
    guide.save_revision().publish()


def test_a_guide_is_on_the_site_once_loaded(
    guide_folder: GuideFolder, client: Client
) -> None:
    guide_folder.write("write", "Choose **New message**.")

    assert guide_folder.load() == ["Write"]

    assert Site.objects.get().root_page.specific == GuideIndex.objects.get()
    page = client.get("/guides/write/").content.decode()
    assert "Choose <b>New message</b>." in page


def test_loading_again_writes_nothing(guide_folder: GuideFolder) -> None:
    guide_folder.write("write", "Choose.")
    guide_folder.load()

    assert guide_folder.load() == []
    assert Guide.objects.get().revisions.count() == 1


def test_a_new_version_replaces_what_nobody_edited(guide_folder: GuideFolder) -> None:
    guide_folder.write("write", "Old.")
    guide_folder.load()
    guide_folder.write("write", "New.", title="Write and send")

    assert guide_folder.load() == ["Write and send"]
    assert "New." in str(Guide.objects.get().body)


def test_an_editors_change_is_kept(guide_folder: GuideFolder) -> None:
    guide_folder.write("write", "Old.")
    guide_folder.load()
    edit(Guide.objects.get(), title="Our own words")
    guide_folder.write("write", "New.")

    assert guide_folder.load() == []
    assert Guide.objects.get().title == "Our own words"


def test_an_editors_draft_is_kept(guide_folder: GuideFolder) -> None:
    guide_folder.write("write", "Old.")
    guide_folder.load()
    guide = Guide.objects.get()
    guide.title = "Not ready yet"
    guide.save_revision()
    guide_folder.write("write", "New.")

    assert guide_folder.load() == []


def test_a_guide_that_an_editor_removed_stays_away(guide_folder: GuideFolder) -> None:
    guide_folder.write("write", "Old.")
    guide_folder.load()
    Guide.objects.get().delete()
    guide_folder.write("write", "New.")

    assert guide_folder.load() == []
    assert not Guide.objects.exists()


def test_related_guides_are_found_whatever_their_order(
    guide_folder: GuideFolder, client: Client
) -> None:
    guide_folder.write("a", "First.", related="z")
    guide_folder.write("z", "Last.")
    guide_folder.load()

    assert 'href="/guides/z/"' in client.get("/guides/a/").content.decode()


def test_a_file_without_its_facts_is_refused_by_name(guide_folder: GuideFolder) -> None:
    (guide_folder.folder / "broken.txt").write_text("title: Broken\n---\nText")

    with pytest.raises(ContentError, match=r"broken\.txt: add owner"):
        guide_folder.load()


def test_an_account_without_end_is_refused_by_name(guide_folder: GuideFolder) -> None:
    guide_folder.write("broken", "@account webmail\nText")

    with pytest.raises(ContentError, match=r"broken\.txt: @account without @end"):
        guide_folder.load()
