from __future__ import annotations

import re
import subprocess

import pytest
from django.conf import settings
from django.test import Client

from engine.registry.models import Organisation, Person
from portal.guides import views
from portal.guides.models import Feedback, Guide
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.guides.conftest import GuideFolder

BODY = """\
Before anything else.

## What to do

+ Choose New message
It costs nothing.

+ Choose New message
Again.

note: Ask `{helpdesk_phone}`.

| Host | `{mail_host}` and {nothing} |

@account webmail
+ Read in a browser
@end

@account microsoft google
+ Read in Outlook
@end
"""


@pytest.fixture
def guide(guide_folder: GuideFolder) -> Guide:
    guide_folder.write("write", BODY, title="Write and send", words="compose")
    guide_folder.load()
    return Guide.objects.get()


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_steps_are_numbered_and_each_has_its_own_address(
    client: Client, guide: Guide
) -> None:
    page = text(client, "/guides/write/")

    assert 'id="choose-new-message"' in page
    assert 'id="choose-new-message-2"' in page
    assert page.count("Step </span>1") == 3
    assert page.count("Step </span>2") == 1


def test_values_of_this_community_stand_in_the_text(
    client: Client, guide: Guide
) -> None:
    page = text(client, "/guides/write/")

    assert "<code>020 7946 0000</code>" in page
    assert "<code>localhost</code> and {nothing}" in page


def test_every_version_is_shown_until_an_account_is_chosen(
    client: Client, guide: Guide
) -> None:
    assert "guide-version--left-out" not in text(client, "/guides/write/")


def test_a_chosen_account_leaves_the_others_for_print(
    client: Client, guide: Guide
) -> None:
    page = text(client, "/guides/write/?account=google")

    assert page.count("guide-version--left-out") == 1
    assert "Read in a browser" in page
    assert "guides/?account=google" in page
    assert not client.cookies.get("account")


def test_an_account_that_the_guide_does_not_know_shows_everything(
    client: Client, guide: Guide
) -> None:
    for account in ("phone", "<script>", "all"):
        page = text(client, f"/guides/write/?account={account}")
        assert "guide-version--left-out" not in page
        assert "<script>=" not in page


def test_a_member_sees_their_own_version_first(
    signed_in: SignIn, bob: Person, guide: Guide
) -> None:
    client = signed_in(bob)

    assert text(client, "/guides/write/").count("guide-version--left-out") == 1
    assert "left-out" not in text(client, "/guides/write/?account=all")


def test_a_member_of_a_server_organisation_sees_what_is_not_for_others(
    signed_in: SignIn, firm: Organisation, guide: Guide
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    assert "left-out" not in text(signed_in(jane), "/guides/write/")


def test_a_guide_asks_the_database_little(
    client: Client, guide: Guide, django_assert_max_num_queries
) -> None:
    client.get("/guides/write/")
    with django_assert_max_num_queries(8):
        client.get("/guides/write/")


def test_the_list_asks_the_database_little_however_long_it_is(
    client: Client, guide_folder: GuideFolder, django_assert_max_num_queries
) -> None:
    for number in range(5):
        guide_folder.write(f"guide-{number}", "Text.")
    guide_folder.load()
    client.get("/guides/")

    with django_assert_max_num_queries(7):
        page = text(client, "/guides/")

    assert page.count('href="/guides/guide-') == 5


def test_a_draft_is_seen_by_nobody(client: Client, guide: Guide) -> None:
    guide.unpublish()

    for path in ("/guides/write/", "/guides/write.pdf"):
        assert client.get(path).status_code == 404
    assert client.post(f"/guides/useful/{guide.pk}/").status_code == 404


def test_guides_before_any_is_loaded(client: Client, db: None) -> None:
    assert client.get("/guides/nowhere/").status_code == 404
    assert client.get("/guides/search/?q=write").status_code == 200


@pytest.mark.slow
def test_paper_is_a_tagged_document_and_made_once(
    client: Client, guide: Guide, django_assert_max_num_queries
) -> None:
    made = client.get("/guides/write.pdf")

    assert made["Content-Type"] == "application/pdf"
    assert made.content.startswith(b"%PDF-")
    output = subprocess.run(["pdfinfo", "-"], input=made.content, capture_output=True)
    assert re.search(rb"Tagged: +yes", output.stdout)
    assert re.search(rb"Title: +Write and send", output.stdout)
    with django_assert_max_num_queries(1):
        assert client.get("/guides/write.pdf").content == made.content


@pytest.mark.slow
def test_links_of_a_paper_lead_to_the_site(
    guide_folder: GuideFolder, client: Client
) -> None:
    guide_folder.write("write", "Look at [reading](guide:read).")
    guide_folder.load()

    made = client.get("/guides/write.pdf").content

    output = subprocess.run(["pdfinfo", "-url", "-"], input=made, capture_output=True)
    assert f"{settings.POSTERN.site_url}/guides/read/".encode() in output.stdout


class TestFeedback:
    def test_an_answer_is_kept_with_the_version_and_nothing_else(
        self, client: Client, guide: Guide
    ) -> None:
        answered = client.post(f"/guides/useful/{guide.pk}/", {"useful": "no"})

        given = Feedback.objects.get()
        assert (given.is_useful, given.revision) == (False, guide.live_revision_id)
        names = {field.name for field in Feedback._meta.fields}
        assert names == {"id", "page", "revision", "is_useful", "comment", "at"}
        assert "not useful" in text(client, answered.url)

    def test_a_comment_is_added_once(self, client: Client, guide: Guide) -> None:
        answered = client.post(f"/guides/useful/{guide.pk}/", {"useful": "yes"})

        client.post(answered.url, {"comment": "Say where the button is."})

        assert Feedback.objects.get().comment == "Say where the button is."
        assert client.post(answered.url, {"comment": "More"}).status_code == 404

    def test_a_forged_token_is_not_found(self, client: Client, guide: Guide) -> None:
        assert client.get("/guides/comment/1:forged:token/").status_code == 404

    def test_nonsense_is_not_counted(self, client: Client, guide: Guide) -> None:
        client.post(f"/guides/useful/{guide.pk}/", {"useful": "maybe"})

        assert not Feedback.objects.exists()

    def test_one_visitor_cannot_answer_for_all(
        self, client: Client, guide: Guide
    ) -> None:
        for _ in range(views.MAX_ANSWERS_PER_PEER):
            assert views._may_answer("127.0.0.1")

        refused = client.post(f"/guides/useful/{guide.pk}/", {"useful": "no"})

        assert refused.status_code == 429
        assert not Feedback.objects.exists()

    def test_the_list_of_guides_is_not_a_guide(
        self, client: Client, guide: Guide
    ) -> None:
        index = guide.get_parent()

        assert client.post(f"/guides/useful/{index.pk}/").status_code == 404


@pytest.mark.parametrize(
    "name", ["nothing.webp", "../secret", "..%2f..%2fletters%2fx.pdf", "%00"]
)
def test_a_picture_that_is_not_there_is_not_found(
    client: Client, db: None, name: str
) -> None:
    assert client.get(f"/guides/pictures/images/{name}").status_code == 404
