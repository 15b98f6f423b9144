from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from engine.registry.models import IndexPass
from portal.guides.bundled import loader
from portal.guides.search import find
from tests.portal.guides.conftest import GuideFolder

# PostgreSQL's text search and SQLite's FTS5 both pass these tests.


@pytest.fixture
def library(guide_folder: GuideFolder) -> GuideFolder:
    guide_folder.write(
        "second-factor", "Scan the square.", title="Set up a second factor"
    )
    guide_folder.write(
        "reset", "Choose another password.", title="Choose a new password"
    )
    guide_folder.write(
        "phone", "Sign in with your password.", title="Read on a phone", words="iphone"
    )
    guide_folder.load()
    return guide_folder


def slugs_found(text: str) -> list[str]:
    return [page.slug for page in find.search(text).pages]


def test_a_word_of_the_title_comes_before_one_of_the_text(library: GuideFolder) -> None:
    assert slugs_found("password")[0] == "reset"
    assert set(slugs_found("password")) == {"reset", "phone"}


def test_a_word_that_means_the_same_finds_it(library: GuideFolder) -> None:
    assert slugs_found("passphrase")[0] == "reset"
    assert "second-factor" in slugs_found("2FA")


def test_a_word_that_only_the_editor_wrote_finds_it(library: GuideFolder) -> None:
    assert slugs_found("iPhone") == ["phone"]


def test_a_question_in_plain_words_is_understood(library: GuideFolder) -> None:
    assert slugs_found("how do I set up a second factor?")[0] == "second-factor"


def test_a_word_too_many_still_finds_the_rest(library: GuideFolder) -> None:
    assert "reset" in slugs_found("password zebra")


@pytest.mark.parametrize("typed", ["pasword", "passwrod", "Passwords", "pasword reset"])
def test_a_mistyped_word_finds_what_was_meant(library: GuideFolder, typed: str) -> None:
    assert "reset" in slugs_found(typed)


def test_a_mistyped_word_is_told_with_what_it_was_read_as(
    library: GuideFolder, client: Client
) -> None:
    assert find.search("secnd factor").read_as == "second factor"
    page = client.get("/guides/search/", {"q": "secnd factor"}).content.decode()
    assert "No guide contains “secnd factor”" in page


def test_a_word_that_is_right_is_left_alone(library: GuideFolder) -> None:
    assert find.search("password").read_as == ""
    assert find.search("password zebra").read_as == ""


def test_what_nobody_wrote_is_not_found(library: GuideFolder, client: Client) -> None:
    assert slugs_found("zebra") == []
    page = client.get("/guides/search/", {"q": "zebra"}).content.decode()
    assert "0 guides found" in page
    assert "Try other words" in page


@pytest.mark.parametrize("typed", ["lukasz", "ŁUKASZ", "O Brien", "OBRIEN", "o’brien"])
def test_letters_of_the_text_stand_for_one_another(
    guide_folder: GuideFolder, typed: str
) -> None:
    guide_folder.write("ask", "Write to Łukasz O'Brien.")
    guide_folder.load()

    assert slugs_found(typed) == ["ask"]


def test_guides_that_were_there_are_indexed_again_once(
    library: GuideFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed: list[str] = []
    monkeypatch.setattr(
        loader, "insert_or_update_object", lambda page: indexed.append(page.slug)
    )
    library.load()
    assert indexed == []
    IndexPass.objects.filter(pk="guides").delete()

    library.load()
    library.load()

    assert sorted(indexed) == ["phone", "reset", "second-factor"]


def test_nothing_typed_finds_nothing(library: GuideFolder, client: Client) -> None:
    assert slugs_found("   ") == []
    assert client.get("/guides/search/").status_code == 200


class TestHostile(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.text(max_size=200))
    def test_any_text_is_answered(self, typed: str) -> None:
        response = self.client.get("/guides/search/", {"q": typed})
        assert response.status_code == 200
