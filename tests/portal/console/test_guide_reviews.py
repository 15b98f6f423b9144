"""What guide editors, and only they, can do in the console."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import Page

from engine.registry.actions import roles
from engine.registry.models import Person, RoleName
from portal.guides.bundled import videos
from portal.guides.models import Feedback, Guide, VideoGuide
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.guides.conftest import GuideFolder, guide_folder

__all__ = ["guide_folder"]

PATHS = ["/admin/guides/", "/admin/guides/feedback/"]


@pytest.fixture
def guide(guide_folder: GuideFolder) -> Guide:
    guide_folder.write("write", "Text.", title="Write and send")
    guide_folder.load()
    return Guide.objects.get()


@pytest.fixture
def edith(db: None) -> Person:
    person = factories.make_person("edith@secure.example", name="Edith")
    roles.give_staff(person, RoleName.GUIDE_EDITOR, by=None)
    return person


@pytest.fixture
def editor_client(signed_in: SignIn, edith: Person) -> Client:
    return signed_in(edith, second_factor=True)


def test_an_editor_changes_a_guide(editor_client: Client, guide: Guide) -> None:
    page = editor_client.get(f"/admin/pages/{guide.pk}/edit/")

    assert page.status_code == 200
    assert "Write and send" in page.content.decode()


def test_an_editor_looks_at_a_draft(editor_client: Client, guide: Guide) -> None:
    guide.related.add(guide)
    guide.title = "Write, then send"
    guide.save_revision()

    draft = editor_client.get(f"/admin/pages/{guide.pk}/view_draft/")

    assert "Write, then send" in draft.content.decode()


@pytest.mark.parametrize("kind", [Guide, VideoGuide])
def test_an_editor_looks_at_a_page_that_is_new(kind: type[Page], db: None) -> None:
    new = kind(title="Something new", slug="something-new")
    if isinstance(new, VideoGuide):
        new.film = videos.names()[0]

    seen = new.make_preview_request()

    assert seen.status_code == 200
    assert "Something new" in seen.render().content.decode()


def test_an_editor_who_is_one_no_longer_changes_nothing(
    signed_in: SignIn, edith: Person, guide: Guide
) -> None:
    roles.take_staff(edith, RoleName.GUIDE_EDITOR, by=None)
    roles.give_staff(edith, RoleName.OPERATOR, by=None)
    client = signed_in(edith, second_factor=True)

    assert client.get(f"/admin/pages/{guide.pk}/edit/").status_code == 302
    assert client.get("/admin/guides/").url == "/admin/"


def test_an_editor_without_a_second_factor_is_kept_out(
    signed_in: SignIn, edith: Person, guide: Guide
) -> None:
    client = signed_in(edith)

    assert "second-factor" in client.get(f"/admin/pages/{guide.pk}/edit/").url


@pytest.mark.parametrize("path", PATHS)
def test_other_staff_and_members_see_nothing_of_it(
    signed_in: SignIn, vera: Person, alice: Person, path: str
) -> None:
    # Wagtail redirects staff to its home page with a message; others get a 404.
    assert signed_in(vera, second_factor=True).get(path).url == "/admin/"
    assert signed_in(alice, second_factor=True).get(path).status_code == 404


def test_reviews_that_are_due_are_counted(editor_client: Client, guide: Guide) -> None:
    Guide.objects.update(review_due_on="2026-01-01")

    page = editor_client.get("/admin/guides/").content.decode()

    assert "Guides (1 due)" in page
    assert "<strong>Due</strong>" in page


def test_editors_read_what_readers_say(editor_client: Client, guide: Guide) -> None:
    assert "No feedback yet" in editor_client.get(PATHS[1]).content.decode()
    for number in range(3):
        Feedback.objects.create(
            page=guide, revision=7, is_useful=False, comment=f"<b>Missing {number}"
        )

    page = editor_client.get(PATHS[1]).content.decode()

    assert re.findall(r"<td[^>]*>(\d+)</td>", page) == ["7", "0", "3"]
    assert "&lt;b&gt;Missing 2" in page


def test_feedback_asks_the_database_as_much_for_many_as_for_few(
    editor_client: Client, guide: Guide, django_assert_max_num_queries
) -> None:
    for _ in range(20):
        Feedback.objects.create(page=guide, revision=7, is_useful=True, comment="Good")
    editor_client.get(PATHS[1])

    with django_assert_max_num_queries(22):
        editor_client.get(PATHS[1])


def test_an_editor_sees_what_waits(
    editor_client: Client, guide: Guide, guide_folder: GuideFolder
) -> None:
    guide_folder.write("read", "Text.", title="Read a message")
    guide_folder.load()
    Guide.objects.filter(pk=guide.pk).update(review_due_on=timezone.localdate())
    draft = Guide.objects.get(title="Read a message")
    draft.summary = "Another way."
    draft.save_revision()
    said = Feedback.objects.create(page=guide, revision=1, is_useful=False, comment="?")
    Feedback.objects.create(page=guide, revision=1, is_useful=True)

    tiles = editor_client.get("/admin/").context["tiles"]
    pages = {tile.label: editor_client.get(tile.href) for tile in tiles}

    assert {tile.label: tile.number for tile in tiles} == {
        "Guides due for review": 1,
        "Guides with changes to publish": 1,
        "Comments on guides in the last 7 days": 1,
    }
    assert pages["Guides due for review"].context["guides"] == [guide]
    assert pages["Guides with changes to publish"].context["guides"] == [draft]
    comments = pages["Comments on guides in the last 7 days"].context["rows"]
    assert list(comments) == [said]
