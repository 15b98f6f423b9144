from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import Person
from onboarding import actions, letters, links
from onboarding.models import Application, Letter
from onboarding.status import Status, StepState
from tests import factories
from tests.onboarding.test_wizard import TYPED

PAGES = ["organisation", "account", "server", "applicant"]


def page(key: str) -> str:
    return reverse("onboarding:step", args=[key])


def answer(client: Client, *keys: str) -> Any:
    response = None
    for key in keys:
        response = client.post(page(key), TYPED[key])
    return response


@pytest.fixture
def letter(apply: Any) -> Letter:
    application = apply()
    organisation = factories.make_organisation()
    return Letter.objects.create(
        application=application,
        organisation=organisation,
        file_name=letters.keep(b"%PDF-the letter"),
    )


@pytest.fixture
def newcomer(northfield: Any) -> Person:
    return factories.make_person(
        "dora@northfield.secure.example",
        northfield,
        password=None,
        everyday_address="dora@northfield.example",
    )


def test_a_stranger_applies(
    client: Client, db: None, django_capture_on_commit_callbacks: Any
) -> None:
    start = client.get(reverse("apply"))
    assert page("organisation") in start.content.decode()

    assert answer(client, *PAGES).url == reverse("onboarding:check")
    check = client.get(reverse("onboarding:check")).content.decode()
    assert "Firm Solicitors" in check
    assert "User name and password" in check
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(reverse("onboarding:check"), follow=True)

    application = Application.objects.get()
    assert application.status == Status.SUBMITTED
    assert application.member_domain == "firm.example"
    assert application.reference in done.content.decode()
    assert mail.outbox[0].to == ["jane@firm.example"]


def test_a_wrong_answer_is_shown_with_its_page(client: Client, db: None) -> None:
    answer(client, "organisation", "account")

    response = client.post(page("server"), TYPED["server"] | {"next_hop_port": "x"})

    text = response.content.decode()
    assert "There is a problem" in text
    assert "Enter the port as a number" in text
    assert 'value="mail.firm.example"' in text


def test_a_page_that_is_not_asked_leads_to_the_next_that_is(
    client: Client, db: None
) -> None:
    assert client.get(page("applicant")).url == page("organisation")
    answer(client, "organisation", "account")
    assert client.get(page("hosted")).url == page("server")
    assert client.get(reverse("onboarding:check")).url == page("server")


def test_a_page_that_does_not_exist_is_not_found(client: Client, db: None) -> None:
    assert client.get(page("nonsense")).status_code == 404


def test_changing_an_answer_returns_to_the_check(client: Client, db: None) -> None:
    answer(client, *PAGES)

    changed = client.post(
        page("organisation"), TYPED["organisation"] | {"town": "York"}
    )

    assert changed.url == reverse("onboarding:check")
    assert "York" in client.get(changed.url).content.decode()


def test_sending_twice_makes_one_application(client: Client, db: None) -> None:
    answer(client, *PAGES)

    client.post(reverse("onboarding:check"))
    again = client.post(reverse("onboarding:check"))

    assert again.url == reverse("onboarding:confirmation")
    assert Application.objects.count() == 1


def test_a_stranger_is_not_told_who_is_a_member(
    client: Client, firm: Any, apply: Any
) -> None:
    apply()

    answer(client, *PAGES)
    done = client.post(reverse("onboarding:check"), follow=True)

    assert "Application complete" in done.content.decode()
    assert Application.objects.count() == 2


def test_a_confirmation_without_an_application_leads_to_the_start(
    client: Client, db: None
) -> None:
    assert client.get(reverse("onboarding:confirmation")).url == reverse("apply")


def test_the_tracker_shows_where_the_application_stands(
    client: Client, apply: Any, approve: Any
) -> None:
    application = apply()
    url = reverse("onboarding:tracker", args=[links.tracker_token(application)])
    assert "A vetting officer is looking" in client.get(url).content.decode()

    approve(application)
    application.steps.filter(key="domain").update(
        state=StepState.FAILED, problem="secrets of ours"
    )

    text = client.get(url).content.decode()
    assert "being set up" in text
    assert "Welcome letter" in text
    assert "secrets of ours" not in text


def test_the_tracker_gives_the_reason_of_a_rejection(
    client: Client, apply: Any, vera: Person
) -> None:
    application = actions.reject(apply(), reason="Not in justice.", by=vera)

    url = reverse("onboarding:tracker", args=[links.tracker_token(application)])

    assert "Not in justice." in client.get(url).content.decode()


def test_a_token_of_one_kind_opens_no_other_page(
    client: Client, apply: Any, letter: Letter, newcomer: Person
) -> None:
    tracker = links.tracker_token(letter.application)

    for name in ("letter", "first_sign_in"):
        url = reverse(f"onboarding:{name}", args=[tracker])
        assert client.get(url).status_code == 404
        assert client.post(url).status_code == 404
    for token in (tracker[:-1], "x"):
        url = reverse("onboarding:tracker", args=[token])
        assert client.get(url).status_code == 404


def test_the_letter_link_downloads_by_its_button_only(
    client: Client, letter: Letter
) -> None:
    url = reverse("onboarding:letter", args=[links.letter_token(letter)])

    opened = client.get(url)
    assert opened.status_code == 200
    assert not Entry.objects.filter(event="letter.downloaded").exists()

    download = client.post(url)
    assert download["Content-Type"] == "application/pdf"
    assert download.content == b"%PDF-the letter"
    assert "no-store" in download["Cache-Control"]
    entry = Entry.objects.get(event="letter.downloaded")
    assert entry.organisation_key == str(letter.organisation_id)


def test_an_old_letter_link_says_what_to_do(
    client: Client, letter: Letter, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = reverse("onboarding:letter", args=[links.letter_token(letter)])
    monkeypatch.setattr(links, "LETTER_LIFETIME", timedelta(seconds=-1))

    response = client.post(url)

    assert response.status_code == 410
    assert "This link has expired" in response.content.decode()


def test_the_first_password_is_chosen_by_its_link_once(
    client: Client, newcomer: Person
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[links.first_sign_in_token(newcomer)]
    )
    assert "dora@northfield.secure.example" in client.get(url).content.decode()

    done = client.post(url, {"password": "three words together"})

    assert done.url == reverse("account_login")
    newcomer.refresh_from_db()
    assert newcomer.check_password("three words together")
    again = client.post(url, {"password": "somebody else entirely"})
    assert again.status_code == 410
    newcomer.refresh_from_db()
    assert newcomer.check_password("three words together")


def test_a_weak_first_password_is_refused(client: Client, newcomer: Person) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[links.first_sign_in_token(newcomer)]
    )

    text = client.post(url, {"password": "short"}).content.decode()

    assert "at least 12 characters" in text
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()


def test_an_old_first_sign_in_link_sends_another(
    client: Client,
    newcomer: Person,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[links.first_sign_in_token(newcomer)]
    )
    monkeypatch.setattr(links, "FIRST_SIGN_IN_LIFETIME", timedelta(seconds=-1))
    assert "Send me another link" in client.get(url).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        sent = client.post(url)

    assert "We have sent you another link" in sent.content.decode()
    assert mail.outbox[0].to == ["dora@northfield.example"]
    assert "/apply/first-sign-in/" in mail.outbox[0].body


def test_a_used_first_sign_in_link_sends_nothing(client: Client, alice: Person) -> None:
    url = reverse("onboarding:first_sign_in", args=[links.first_sign_in_token(alice)])
    Person.objects.filter(pk=alice.pk).update(last_login=timezone.now())

    response = client.post(url)

    assert "already been set" in response.content.decode()
    assert not mail.outbox


def test_the_authority_is_not_found_where_it_is_public(
    client: Client, db: None
) -> None:
    assert client.get(reverse("onboarding:authority")).status_code == 404
