from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import Organisation, Person
from onboarding import rate_limits, signed_links
from onboarding.letters import letter_files
from onboarding.models import (
    Application,
    Check,
    CheckState,
    Letter,
    Link,
    SponsorshipStatus,
)
from onboarding.status import Status, StepState
from onboarding.vetting import decisions, sponsors
from tests import factories
from tests.onboarding.applying.test_wizard import TYPED, typed_terms
from tests.onboarding.conftest import link_in
from tests.onboarding.vetting.test_signatures import ANOTHER_SIGNATORY
from tests.portal.conftest import give_app

PAGES = [
    "organisation",
    "applicant",
    "second",
    "account",
    "server",
    "sponsor",
    "signer",
    "terms",
]


def page(key: str) -> str:
    return reverse("onboarding:step", args=[key])


def answer(client: Client, *keys: str) -> Any:
    response = None
    for key in keys:
        typed = typed_terms() if key == "terms" else TYPED[key]
        response = client.post(page(key), typed)
    return response


@pytest.fixture
def jane(client: Client, delivered_emails: Any) -> Client:
    """An applicant who followed the link to begin."""
    client.post(reverse("onboarding:email"), {"address": "jane@firm.example"})
    client.post(link_in(delivered_emails()[-1].body, "link"))
    delivered_emails().clear()
    return client


@pytest.fixture
def jane_returned(client: Client, delivered_emails: Any) -> Any:
    """An applicant who followed the link to return."""

    def follow(application: Application) -> Client:
        client.post(
            reverse("onboarding:email"), {"address": application.everyday_address}
        )
        client.post(link_in(delivered_emails()[-1].body, "link"))
        return client

    return follow


@pytest.fixture
def letter(apply: Any) -> Letter:
    application = apply()
    organisation = factories.make_organisation()
    return Letter.objects.create(
        application=application,
        organisation=organisation,
        file_name=letter_files.save(b"%PDF-the letter", organisation_id=7),
    )


@pytest.fixture
def newcomer(northfield: Any) -> Person:
    return factories.make_person(
        "dora@northfield.secure.example",
        northfield,
        password=None,
        everyday_address="dora@northfield.example",
    )


@pytest.mark.parametrize("work", ["party", "none"])
def test_somebody_outside_justice_is_told_so(client: Client, work: str) -> None:
    text = client.post(reverse("onboarding:eligibility"), {"work": work})

    assert "You cannot apply" in text.content.decode()


def test_somebody_in_justice_goes_on(client: Client) -> None:
    done = client.post(reverse("onboarding:eligibility"), {"work": "law"})

    assert done.url == reverse("onboarding:email")


def test_an_applicant_applies(jane: Client, delivered_emails: Any) -> None:
    assert answer(jane, *PAGES).url == reverse("onboarding:tasks")
    assert (
        "Check your answers" in jane.get(reverse("onboarding:tasks")).content.decode()
    )
    check = jane.get(reverse("onboarding:check")).content.decode()
    assert "Firm Solicitors" in check
    assert "User name and password" in check
    done = jane.post(reverse("onboarding:check"), follow=True)

    application = Application.objects.get()
    assert application.status == Status.SUBMITTED
    assert application.member_domain == "firm.example"
    assert application.reference in done.content.decode()
    assert delivered_emails()[0].to == ["jane@firm.example"]


def test_opening_a_link_changes_nothing_and_its_button_works_once(
    client: Client, delivered_emails: Any, db: None
) -> None:
    client.post(reverse("onboarding:email"), {"address": "jane@firm.example"})
    url = link_in(delivered_emails()[0].body, "link")

    assert client.get(url).status_code == client.get(url).status_code == 200
    assert not Application.objects.exists()
    assert client.post(url).url == reverse("onboarding:tasks")
    used = client.post(url)

    assert used.status_code == 410
    assert "no longer works" in used.content.decode()
    assert Application.objects.count() == 1


def test_a_link_that_is_over_sends_another_to_the_same_reader(
    client: Client, delivered_emails: Any, db: None
) -> None:
    client.post(reverse("onboarding:email"), {"address": "jane@firm.example"})
    url = link_in(delivered_emails()[0].body, "link")
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    done = client.post(url, {"again": "1"})

    assert "sent another link" in done.content.decode()
    assert [mail.to for mail in delivered_emails()] == [["jane@firm.example"]] * 2


@pytest.mark.parametrize("address", ["jane", "jane@firm", "jane@.example"])
def test_an_address_that_no_mail_can_reach_is_refused(
    client: Client, db: None, address: str
) -> None:
    text = client.post(reverse("onboarding:email"), {"address": address})

    assert "like name@example.org" in text.content.decode()


@pytest.mark.parametrize("address", ["new@firm.example", "new@stranger.example"])
def test_the_page_and_the_work_are_the_same_for_members_and_strangers(
    client: Client,
    delivered_emails: Any,
    firm: Organisation,
    django_assert_num_queries: Any,
    address: str,
) -> None:
    client.get(reverse("onboarding:email"))

    with django_assert_num_queries(8):
        done = client.post(reverse("onboarding:email"), {"address": address})
    text = client.get(done.url).content.decode()

    assert "Check your email" in text
    assert text.count(address) == 1
    assert "member" not in text
    assert len(delivered_emails()) == 1


def test_one_client_causes_so_many_mails_and_no_more(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "LINKS_BY_CLIENT", 2)
    url = reverse("onboarding:email")

    codes = [
        client.post(url, {"address": f"a{number}@firm.example"}).status_code
        for number in range(3)
    ]

    assert codes == [302, 302, 429]


@pytest.mark.parametrize(
    "name", ["tasks", "check", "progress", "confirmation", "withdraw", "terms_copy"]
)
def test_without_a_link_nobody_sees_an_application(
    client: Client, submit_application: Any, name: str
) -> None:
    submit_application()

    for method in (client.get, client.post):
        assert method(reverse(f"onboarding:{name}")).url == reverse("onboarding:email")


def test_a_wrong_answer_is_shown_with_its_page(jane: Client) -> None:
    answer(jane, "organisation", "account")

    response = jane.post(page("server"), TYPED["server"] | {"next_hop_port": "x"})

    text = response.content.decode()
    assert "There is a problem" in text
    assert "Enter the port as a number" in text
    assert 'value="mail.firm.example"' in text


def test_a_page_that_is_not_asked_leads_to_the_list(jane: Client) -> None:
    assert jane.get(page("hosted")).url == reverse("onboarding:tasks")
    answer(jane, "organisation", "account")
    assert jane.get(page("hosted")).url == reverse("onboarding:tasks")
    assert jane.get(reverse("onboarding:check")).url == page("applicant")
    assert jane.get(page("nonsense")).status_code == 404


def test_nothing_is_lost_between_two_visits(
    jane: Client, jane_returned: Any, delivered_emails: Any
) -> None:
    answer(jane, "organisation")
    jane.session.flush()

    client = jane_returned(Application.objects.get())

    assert "Firm Solicitors" in client.get(page("organisation")).content.decode()


def test_changing_an_answer_returns_to_the_check(jane: Client) -> None:
    answer(jane, *PAGES)

    check = BeautifulSoup(jane.get(reverse("onboarding:check")).content, "lxml")
    links = [str(one["href"]) for one in check.select("a[href*=organisation]")]
    link = links[0].partition("#")[0]
    changed = jane.post(link, TYPED["organisation"] | {"town": "York"})

    assert changed.url == reverse("onboarding:check")
    assert "York" in jane.get(changed.url).content.decode()


def test_a_change_asks_only_what_it_opens_before_the_check(jane: Client) -> None:
    answer(jane, *PAGES)

    opened = jane.post(f"{page('account')}?from=check", {"account_type": "webmail"})
    returned = jane.post(opened.url, {"community_name": "firm"})

    assert opened.url == f"{page('hosted')}?from=check"
    assert returned.url == reverse("onboarding:check")


def test_a_finished_task_opens_again_at_each_of_its_pages(jane: Client) -> None:
    answer(jane, *PAGES)
    tasks = BeautifulSoup(jane.get(reverse("onboarding:tasks")).content, "lxml")
    task = next(a for a in tasks.select("a") if "how you will connect" in a.text)

    first = jane.get(str(task["href"])).content.decode()
    second = jane.post(str(task["href"]), TYPED["account"]).url
    shown = jane.get(second).content.decode()
    third = jane.post(second, TYPED["server"]).url

    assert 'value="smtp" checked' in first
    assert second == page("server")
    assert 'value="mail.firm.example"' in shown
    assert third == reverse("onboarding:tasks")


@pytest.mark.parametrize(
    ("account_type", "key", "said"),
    [
        ("cloud_gateway", "cloud", 'value="firm-example.mail.protection.outlook.com"'),
        ("smtp", "server", 'value="firm.example"'),
        ("webmail", "hosted", ""),
    ],
)
def test_a_page_about_mail_holds_what_the_name_system_says(
    jane: Client, account_type: str, key: str, said: str
) -> None:
    Check.objects.update(
        state=CheckState.DONE,
        facts={"hosts": ["firm-example.mail.protection.outlook.com"]},
    )
    jane.post(page("account"), {"account_type": account_type})

    text = jane.get(page(key)).content.decode()

    assert said in text
    assert ('value="firm.example"' in text) == bool(said)


def test_sending_twice_makes_one_application(jane: Client) -> None:
    answer(jane, *PAGES)

    jane.post(reverse("onboarding:check"))
    again = jane.post(reverse("onboarding:check"))

    assert again.url == reverse("onboarding:progress")
    assert Application.objects.count() == 1


def test_progress_shows_where_the_application_stands(
    jane_returned: Any, apply: Any, approve: Any
) -> None:
    application = apply()
    client = jane_returned(application)
    url = reverse("onboarding:progress")
    assert "A vetting officer is looking" in client.get(url).content.decode()

    approve(application)
    application.steps.filter(key="domain").update(
        state=StepState.FAILED, problem="secrets of ours"
    )

    text = client.get(url).content.decode()
    assert "being set up" in text
    assert "Welcome letter" in text
    assert "secrets of ours" not in text


def test_progress_gives_the_reason_of_a_rejection(
    jane_returned: Any, apply: Any, vera: Person
) -> None:
    application = decisions.reject(apply(), reason="Not in justice.", by=vera)

    client = jane_returned(application)

    text = client.get(reverse("onboarding:progress")).content.decode()
    assert "Not in justice." in text


def test_a_question_is_answered_on_its_page(
    jane_returned: Any, apply: Any, vera: Person
) -> None:
    application = apply()
    question = decisions.ask_question(application, text="Who is Ravi?", by=vera)
    client = jane_returned(application)
    url = reverse("onboarding:answer", args=[question.pk])
    assert "Who is Ravi?" in client.get(url).content.decode()

    client.post(url, {"text": "My partner."})

    question.refresh_from_db()
    assert question.answer == "My partner."


def test_the_neighbours_question_does_not_exist(
    jane_returned: Any, apply: Any, vera: Person
) -> None:
    question = decisions.ask_question(apply(), text="Who is Ravi?", by=vera)
    client = jane_returned(apply(everyday_address="other@harbour.example"))

    response = client.post(
        reverse("onboarding:answer", args=[question.pk]), {"text": "Me."}
    )

    assert response.status_code == 404


def test_another_sponsor_is_named_from_progress(
    jane_returned: Any, submit_application: Any, fenland: Any
) -> None:
    application = submit_application()
    client = jane_returned(application)

    client.post(
        reverse("onboarding:other_sponsor"),
        TYPED["sponsor"] | {"sponsor_name": "Sam Ward"},
    )

    assert application.sponsorships.first().name == "Sam Ward"
    assert application.sponsorships.count() == 2


@pytest.mark.parametrize("role", ["sponsor", "signatory"])
def test_another_sponsor_or_signatory_has_a_page_to_be_named_on(
    jane_returned: Any, submit_application: Any, role: str
) -> None:
    client = jane_returned(submit_application())

    page = client.get(reverse(f"onboarding:other_{role}"))

    assert f"Ask this {role}" in page.content.decode()


def test_an_applicant_whose_sponsor_declined_is_told_what_to_do(
    jane_returned: Any, submit_application: Any
) -> None:
    application = submit_application()
    sponsors.decline(application.sponsorships.get(), reason="Unknown.", by=None)

    text = (
        jane_returned(application).get(reverse("onboarding:progress")).content.decode()
    )

    assert "Name another sponsor below" in text
    assert "Unknown." not in text


@pytest.mark.slow
def test_the_signed_terms_are_downloaded(jane_returned: Any, apply: Any) -> None:
    response = jane_returned(apply()).get(reverse("onboarding:terms_copy"))

    assert response.content.startswith(b"%PDF-")
    assert "no-store" in response["Cache-Control"]


def test_withdrawing_takes_a_button(
    jane_returned: Any, submit_application: Any
) -> None:
    application = submit_application()
    client = jane_returned(application)
    client.get(reverse("onboarding:withdraw"))
    application.refresh_from_db()
    assert application.status == Status.SUBMITTED

    client.post(reverse("onboarding:withdraw"))

    application.refresh_from_db()
    assert application.status == Status.WITHDRAWN


@pytest.mark.parametrize("choice", ["confirm", "decline"])
def test_a_sponsor_answers_by_the_button_once(
    client: Client,
    submit_application: Any,
    delivered_emails: Any,
    fenland: Any,
    choice: str,
) -> None:
    asked = submit_application().sponsorships.get()
    [mail] = [mail for mail in delivered_emails() if mail.to == [asked.address]]
    url = link_in(mail.body, "sponsor")
    assert "Firm Solicitors" in client.get(url).content.decode()
    asked.refresh_from_db()
    assert asked.status == SponsorshipStatus.ASKED

    done = client.post(url, {"answer": choice, "reason": "Not known."})

    assert "Thank you" in done.content.decode()
    asked.refresh_from_db()
    assert asked.answered_at
    assert client.post(url, {"answer": "confirm"}).status_code == 410


def test_a_signatory_signs_by_the_button_once(
    client: Client, submit_application: Any, delivered_emails: Any
) -> None:
    application = submit_application(signing=ANOTHER_SIGNATORY)
    [mail] = [mail for mail in delivered_emails() if mail.to == ["mary@firm.example"]]
    url = link_in(mail.body, "sign")
    assert "What you join" in client.get(url).content.decode()
    assert "There is a problem" in client.post(url, {}).content.decode()

    assert "You have signed" in client.post(url, {"agree": "on"}).content.decode()

    assert application.signatures.get().signed_at
    assert client.post(url, {"agree": "on"}).status_code == 410


@pytest.mark.slow
def test_a_signatory_keeps_a_copy_of_what_was_signed(
    client: Client, submit_application: Any, delivered_emails: Any
) -> None:
    submit_application(signing=ANOTHER_SIGNATORY)
    [mail] = [mail for mail in delivered_emails() if mail.to == ["mary@firm.example"]]
    url = link_in(mail.body, "sign")
    copy = f"{url}terms.pdf"
    assert client.get(copy).status_code == 404

    assert copy in client.post(url, {"agree": "on"}).content.decode()

    assert client.get(copy).content.startswith(b"%PDF-")


def test_a_signatory_who_was_replaced_signs_nothing(
    client: Client, jane_returned: Any, submit_application: Any, delivered_emails: Any
) -> None:
    application = submit_application(signing=ANOTHER_SIGNATORY)
    [mail] = [mail for mail in delivered_emails() if mail.to == ["mary@firm.example"]]
    url = link_in(mail.body, "sign")
    page = jane_returned(application)
    assert "Mary Firm" in page.get(reverse("onboarding:progress")).content.decode()

    page.post(
        reverse("onboarding:other_signatory"),
        TYPED["signatory"] | {"signatory_name": "Max Firm"},
    )

    assert client.post(url, {"agree": "on"}).status_code == 410
    assert client.get(f"{url}terms.pdf").status_code == 404
    signature = application.signatures.get()
    assert (signature.name, signature.signed_at) == ("Max Firm", None)


def test_a_link_of_one_kind_opens_no_other_page(
    client: Client,
    submit_application: Any,
    delivered_emails: Any,
    fenland: Any,
    letter: Letter,
) -> None:
    submit_application()
    [mail] = [mail for mail in delivered_emails() if "/apply/sponsor/" in mail.body][
        -1:
    ]
    token = link_in(mail.body, "sponsor").strip("/").rpartition("/")[2]

    for name in ("link", "sign", "letter", "first_sign_in"):
        url = reverse(f"onboarding:{name}", args=[token])
        assert client.get(url).status_code == 404
        assert client.post(url).status_code == 404
    for wrong in (token[:-1], "x"):
        url = reverse("onboarding:sponsor", args=[wrong])
        assert client.get(url).status_code == 404


def test_the_letter_link_downloads_by_its_button_only(
    client: Client, letter: Letter
) -> None:
    url = reverse("onboarding:letter", args=[signed_links.letter_token(letter)])

    opened = client.get(url)
    assert opened.status_code == 200
    assert not Entry.objects.filter(event="letter.downloaded").exists()

    download = client.post(url)
    assert download["Content-Type"] == "application/pdf"
    assert download.content == b"%PDF-the letter"
    assert "no-store" in download["Cache-Control"]
    entry = Entry.objects.get(event="letter.downloaded")
    assert entry.organisation_key == str(letter.organisation_id)
    assert entry.detail == {"from": "127.0.0.1"}
    again = client.post(url)
    assert again.status_code == 410
    assert "This link no longer works" in again.content.decode()


def test_an_old_letter_link_says_what_to_do(
    client: Client, letter: Letter, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = reverse("onboarding:letter", args=[signed_links.letter_token(letter)])
    monkeypatch.setattr(signed_links, "LETTER_LIFETIME", timedelta(seconds=-1))

    response = client.post(url)

    assert response.status_code == 410
    assert "This link no longer works" in response.content.decode()


def test_the_first_password_is_chosen_by_its_link_once(
    client: Client, newcomer: Person
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(newcomer)]
    )
    assert "dora@northfield.secure.example" in client.get(url).content.decode()

    done = client.post(url, {"password": "three words together"})

    assert done.url == reverse("start")
    assert client.session["_auth_user_id"] == str(newcomer.pk)
    newcomer.refresh_from_db()
    assert newcomer.check_password("three words together")
    again = client.post(url, {"password": "somebody else entirely"})
    assert again.status_code == 410
    newcomer.refresh_from_db()
    assert newcomer.check_password("three words together")


def test_whoever_helps_a_newcomer_stays_signed_in(
    client: Client, newcomer: Person, bob: Person
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(newcomer)]
    )
    client.post(
        reverse("account_login"),
        {"login": bob.address, "password": factories.PASSWORD},
    )

    done = client.post(url, {"password": "three words together"}, follow=True)

    assert client.session["_auth_user_id"] == str(bob.pk)
    assert f"The password of {newcomer.address} is set." in done.content.decode()


def test_a_newcomer_with_a_second_factor_still_has_to_show_it(
    client: Client, newcomer: Person
) -> None:
    give_app(newcomer)
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(newcomer)]
    )

    done = client.post(url, {"password": "three words together"})

    assert done.url == reverse("mfa_authenticate")
    assert client.get(reverse("account:home")).status_code == 302


def test_a_weak_first_password_is_refused(client: Client, newcomer: Person) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(newcomer)]
    )

    text = client.post(url, {"password": "short"}).content.decode()

    assert "at least 12 characters" in text
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()


def test_an_old_first_sign_in_link_sends_another(
    client: Client,
    newcomer: Person,
    monkeypatch: pytest.MonkeyPatch,
    delivered_emails: Any,
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(newcomer)]
    )
    monkeypatch.setattr(signed_links, "FIRST_SIGN_IN_LIFETIME", timedelta(seconds=-1))
    assert "Send me another link" in client.get(url).content.decode()

    answer = client.post(url)

    assert "We have sent you another link" in answer.content.decode()
    [mail] = delivered_emails()
    assert mail.to == ["dora@northfield.example"]
    assert "/apply/first-sign-in/" in mail.body


def test_a_used_first_sign_in_link_sends_nothing(
    client: Client, alice: Person, delivered_emails: Any
) -> None:
    url = reverse(
        "onboarding:first_sign_in", args=[signed_links.first_sign_in_token(alice)]
    )
    Person.objects.filter(pk=alice.pk).update(last_login=timezone.now())

    response = client.post(url)

    assert "already been set" in response.content.decode()
    assert not delivered_emails()


def test_the_authority_is_not_found_where_it_is_public(
    client: Client, db: None
) -> None:
    assert client.get(reverse("onboarding:authority")).status_code == 404
