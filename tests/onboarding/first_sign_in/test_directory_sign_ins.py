from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from engine.registry import permissions
from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Organisation, Person
from onboarding import signed_links
from onboarding.first_sign_in import directory_sign_ins
from onboarding.notices import delivery
from tests import factories

PASSWORD = "three words unrelated"


@pytest.fixture
def police(db: None) -> Organisation:
    made = factories.make_organisation(
        name="Fenland Police", account_type=AccountType.TRUSTED_DOMAIN
    )
    factories.make_domain(made, "police.example")
    return made


@pytest.fixture
def jane(firm: Organisation) -> Person:
    """A person registered at the firm, without a password."""
    return factories.make_person(
        "jane@firm.example.secure.example", firm, password=None
    )


@pytest.fixture(autouse=True)
def _outbox(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def outbox() -> list[mail.EmailMessage]:
    """Delivers the notices due and returns all emails so far."""
    delivery.send_due()
    return mail.outbox


def link_in(message: mail.EmailMessage) -> str:
    found = re.search(r"https?://[^/]+(/\S+)", str(message.body))
    assert found
    return found[1]


def test_a_sign_in_given_goes_to_their_own_mailbox(jane: Person) -> None:
    directory_sign_ins.give(jane, by=None)

    assert outbox()[0].to == ["jane@firm.example.secure.example"]
    assert "/first-sign-in/" in link_in(outbox()[0])


def test_a_trusted_domain_gets_none(police: Organisation) -> None:
    ruth = factories.make_person("ruth@police.example", police, password=None)

    with pytest.raises(PolicyError, match="trusted domain"):
        directory_sign_ins.give(ruth, by=None)


def test_a_password_opens_nothing_once_the_organisation_is_a_trusted_domain(
    client: Client, firm: Organisation
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    assert permissions.may_sign_in(jane)
    firm.account_type = AccountType.TRUSTED_DOMAIN
    firm.save()

    response = client.post(
        "/account/login/", {"login": jane.address, "password": factories.PASSWORD}
    )

    assert response.url == "/account/inactive/"
    assert client.get("/directory/").status_code == 302


def test_an_administrator_of_a_trusted_domain_still_looks_after_it(
    police: Organisation,
) -> None:
    ruth = factories.make_person("ruth@police.example", police)
    factories.make_administrator(ruth)

    assert permissions.may_sign_in(ruth)


@pytest.mark.parametrize(
    "typed",
    [
        "nobody@elsewhere.example",
        "ruth@police.example",
        "new@northfield.secure.example",
        "all@firm.example",
        "gone@firm.example",
        "not an address",
    ],
)
def test_nothing_is_mailed_to(
    typed: str, firm: Organisation, police: Organisation, northfield: Organisation
) -> None:
    factories.make_list("all@firm.example.secure.example", firm)
    factories.make_person("gone@firm.example.secure.example", firm, is_active=False)

    directory_sign_ins.answer_request(typed)

    assert outbox() == []


def test_a_registered_person_is_sent_the_first_sign_in(jane: Person) -> None:
    directory_sign_ins.answer_request("JANE@firm.example")

    assert "/first-sign-in/" in link_in(outbox()[0])


def test_who_has_a_sign_in_is_told_so(firm: Organisation) -> None:
    factories.make_person("jane@firm.example.secure.example", firm)

    directory_sign_ins.answer_request("jane@firm.example")

    assert "You have one already" in str(outbox()[0].body)


def test_an_unknown_reader_of_a_members_mailbox_becomes_a_person(
    client: Client, firm: Organisation
) -> None:
    directory_sign_ins.answer_request("new.person@firm.example")
    path = link_in(outbox()[0])
    assert outbox()[0].to == ["new.person@firm.example.secure.example"]
    assert not Person.objects.filter(address__startswith="new.person").exists()

    assert client.get(path).status_code == 200
    done = client.post(path, {"name": "New Person", "password": PASSWORD})

    made = Person.objects.get(address="new.person@firm.example.secure.example")
    assert done.url == "/start/"
    assert client.session["_auth_user_id"] == str(made.pk)
    assert (made.organisation, made.name) == (firm, "New Person")
    assert made.check_password(PASSWORD)
    assert client.get(path).status_code == 410


def test_a_link_that_grew_useless_makes_nobody(
    client: Client, firm: Organisation
) -> None:
    token = signed_links.sign_in_claim_token("new@firm.example.secure.example")
    firm.account_type = AccountType.TRUSTED_DOMAIN
    firm.save()

    response = client.post(
        f"/apply/directory-sign-in/{token}/", {"name": "New", "password": PASSWORD}
    )

    assert response.status_code == 410
    assert not Person.objects.filter(address__startswith="new@").exists()


def test_a_forged_link_does_not_exist(client: Client, db: None) -> None:
    assert client.get("/apply/directory-sign-in/x:y:z/").status_code == 404
