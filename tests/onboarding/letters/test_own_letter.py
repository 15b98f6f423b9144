from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from onboarding.letters import letter_files
from onboarding.models import Letter
from tests.portal.conftest import SignIn, signed_in

__all__ = ["signed_in"]
URL = "/apply/letter/"


@pytest.fixture
def letter(apply: Any, northfield: Organisation) -> Letter:
    name = letter_files.save(b"%PDF-northfield's", organisation_id=7)
    return Letter.objects.create(
        application=apply(), organisation=northfield, file_name=name
    )


def test_an_administrator_downloads_the_letter_of_the_organisation(
    signed_in: SignIn, alice: Person, letter: Letter
) -> None:
    client = signed_in(alice, second_factor=True)
    assert "Download the letter" in client.get(URL).content.decode()

    assert client.post(URL).content == b"%PDF-northfield's"

    assert Entry.objects.get(event="letter.downloaded").by_name == str(alice)
    letter.refresh_from_db()
    assert (letter.downloaded_by, letter.downloaded_from) == (alice, "127.0.0.1")


def test_an_administrator_asks_for_another(
    signed_in: SignIn, alice: Person, letter: Letter
) -> None:
    client = signed_in(alice, second_factor=True)

    text = client.post(reverse("onboarding:reissue_letter"), follow=True)

    assert "preparing" in text.content.decode()
    assert Letter.objects.count() == 2
    assert "Get a new letter" not in text.content.decode()


@pytest.mark.parametrize("name", ["own_letter", "reissue_letter"])
def test_nobody_else_reaches_letters(
    signed_in: SignIn, bob: Person, letter: Letter, name: str
) -> None:
    assert signed_in(bob).post(reverse(f"onboarding:{name}")).status_code == 403
    assert Letter.objects.count() == 1


def test_an_administrator_without_a_second_factor_is_kept_out(
    signed_in: SignIn, alice: Person, letter: Letter
) -> None:
    assert signed_in(alice).post(URL).status_code == 302


def test_the_neighbour_finds_no_letter(
    signed_in: SignIn, charlie: Person, letter: Letter
) -> None:
    assert signed_in(charlie, second_factor=True).post(URL).status_code == 404


def test_a_stranger_is_asked_to_sign_in(client: Any, letter: Letter) -> None:
    assert client.post(URL).url.startswith(reverse("account_login"))
