"""Each role alone, and each API key alone, tries to read a member's mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from engine.registry.actions import people, roles
from engine.registry.credentials import generated_secrets
from engine.registry.models import (
    Organisation,
    Person,
    RecoveryAddressChange,
    RoleName,
)
from engine.registry.scopes import Scope
from engine.storage.models import Message
from portal.account_admin import tasks
from portal.account_admin.models import FactorReset
from tests import factories, jobs
from tests.api.conftest import Api
from tests.portal.conftest import SignIn, give_app
from tests.portal.webmail.conftest import store_message
from tests.security.intruder import (
    OWN_ADDRESS,
    Intruder,
    deliver_notices,
    pass_a_day,
)

STAFF = [
    RoleName.HELPDESK_AGENT,
    RoleName.OPERATOR,
    RoleName.VETTING_OFFICER,
    RoleName.AUDITOR,
    RoleName.GUIDE_EDITOR,
]
WhoTries = Callable[[str], Client]


@pytest.fixture
def browser_of(
    signed_in: SignIn, alice: Person, charlie: Person, bob: Person
) -> WhoTries:
    """The browser of a person with the role, who has confirmed a second factor."""

    def sign_in(role: str) -> Client:
        inside = {
            "administrator": alice,
            "neighbour": charlie,
            "colleague": None,
        }
        person = inside.get(role)
        if role == "colleague":
            person = factories.make_person(
                "dora@northfield.secure.example", bob.organisation
            )
            factories.make_mailbox(person)
        if person is None:
            person = factories.make_person("staff@secure.example")
            factories.make_staff(person, RoleName(role))
        return signed_in(person, second_factor=True)

    return sign_in


ALONE = [*map(str, STAFF), "administrator", "neighbour", "colleague"]


@pytest.mark.parametrize("role", ALONE)
def test_nobody_alone_reads_anothers_mail(
    browser_of: WhoTries, bob: Person, letter: Message, role: str
) -> None:
    intruder = Intruder(browser_of(role), bob)

    intruder.try_everything()

    assert not intruder.reads_the_mail(letter.pk)


@pytest.mark.parametrize("role", ALONE)
def test_nobody_alone_reads_it_a_day_later_either(
    browser_of: WhoTries, bob: Person, letter: Message, role: str
) -> None:
    intruder = Intruder(browser_of(role), bob)
    intruder.try_everything()

    pass_a_day()
    intruder.try_everything()
    pass_a_day()
    intruder.client.post(f"/admin/people/{bob.pk}/link/")
    intruder.client.post(f"/organisation/{bob.organisation_id}/people/{bob.pk}/link/")

    assert not intruder.reads_the_mail(letter.pk)
    intruder.agree_to_everything()
    assert not intruder.reads_the_mail(letter.pk)


@pytest.mark.parametrize(
    ("role", "reaches"),
    [
        ("helpdesk_agent", {"address", "factor"}),
        ("operator", {"address", "factor"}),
        ("vetting_officer", set()),
        ("auditor", set()),
        ("guide_editor", set()),
        ("administrator", {"address", "reset"}),
        ("neighbour", set()),
        ("colleague", set()),
    ],
)
def test_what_each_role_can_begin_and_what_it_cannot(
    browser_of: WhoTries, bob: Person, letter: Message, role: str, reaches: set[str]
) -> None:
    Intruder(browser_of(role), bob).try_everything()

    begun = {
        "address": RecoveryAddressChange.objects.pending().exists(),
        "factor": FactorReset.objects.waiting().exists(),
        "reset": not Authenticator.objects.filter(user=bob).exists(),
    }
    assert {name for name, is_true in begun.items() if is_true} == reaches
    bob.refresh_from_db()
    assert bob.everyday_address == ""


@pytest.mark.parametrize("is_communitys", [True, False])
@pytest.mark.parametrize(
    "scopes",
    [
        [Scope.WRITE_PEOPLE],
        [Scope.WRITE_RECOVERY],
        [Scope.WRITE_RECOVERY, Scope.WRITE_PEOPLE, Scope.WRITE_MAILBOXES],
    ],
    ids=["people", "recovery", "all"],
)
def test_no_key_alone_reads_it(
    alice: Person,
    bob: Person,
    northfield: Organisation,
    letter: Message,
    scopes: list[Scope],
    is_communitys: bool,
) -> None:
    # Without a second factor a new password would be sufficient.
    Authenticator.objects.all().delete()
    secret = generated_secrets.new_secret()
    place = None if is_communitys else northfield
    factories.make_api_key(place, generated_secrets.digest(secret), *map(str, scopes))
    call, at = Api(secret), f"/people/{bob.pk}/"

    call("PATCH", at, {"everyday_address": OWN_ADDRESS})
    asked = {"address": OWN_ADDRESS, "reason": "Forgot it"}
    call("POST", f"{at}recovery-address/", asked)
    intruder = Intruder(Client(), bob)

    assert not intruder.reads_the_mail(letter.pk)
    if Scope.WRITE_RECOVERY in scopes:
        assert {bob.address, alice.address} <= deliver_notices()
    pass_a_day()
    # Now the link is sent, and the mailbox is closed to the person who used it.
    assert not intruder.reads_the_mail(letter.pk)


def test_a_new_key_opens_nobodys_mailbox_but_its_makers(
    signed_in: SignIn, alice: Person, bob: Person, letter: Message
) -> None:
    own = store_message(alice.mailbox)
    page = signed_in(alice, second_factor=True).post(
        f"/organisation/{alice.organisation_id}/api/keys/add/",
        {"name": "Cases", "scopes": ["messages:read", "messages:write"]},
    )
    call = Api(page.context["secret"])

    assert call("GET", f"/messages/{own.pk}/").status_code == 200
    assert call("GET", f"/messages/{letter.pk}/").status_code == 404
    assert call("GET", f"/messages/?mailbox={bob.mailbox.pk}").status_code == 404
    assert call("GET", f"/mailboxes/{bob.mailbox.pk}/folders/").status_code == 404
    send = {"mailbox": bob.mailbox.pk, "to": [alice.address], "subject": "x"}
    assert call("POST", "/messages/", {**send, "text": "x"}).status_code == 404


def test_a_key_opens_mailboxes_when_a_second_administrator_agrees(
    signed_in: SignIn, alice: Person, bob: Person, letter: Message
) -> None:
    office = signed_in(alice, second_factor=True)
    at = f"/organisation/{alice.organisation_id}/"
    page = office.post(
        f"{at}api/keys/add/", {"name": "Cases", "scopes": ["messages:read"]}
    )
    call, key = Api(page.context["secret"]), page.context["key"]
    agree = f"{at}people/recovery/key/{key.pk}/agree/"

    refused = office.post(agree, {"reason": "Mine"})
    dora = factories.make_person("dora@northfield.secure.example", bob.organisation)
    factories.make_administrator(dora)
    signed_in(dora, second_factor=True).post(agree, {"reason": "For the case system"})

    assert "You made this key" in refused.content.decode()
    assert call("GET", f"/messages/{letter.pk}/").status_code == 200


def test_two_agents_reset_a_second_factor_and_the_owner_hears_each_time(
    signed_in: SignIn, hugh: Person, alice: Person, bob: Person, letter: Message
) -> None:
    other = factories.make_person("hana@secure.example", name="Hana")
    factories.make_staff(other, RoleName.HELPDESK_AGENT)
    reason = {"reason": "Phone lost, called back on the office number"}

    signed_in(hugh, second_factor=True).post(
        f"/admin/people/{bob.pk}/second-factor/", reason
    )
    assert Authenticator.objects.filter(user=bob).exists()
    assert {bob.address, alice.address} <= deliver_notices()
    (reset,) = FactorReset.objects.waiting()
    signed_in(other, second_factor=True).post(
        f"/admin/people/recovery/factor/{reset.pk}/agree/", reason
    )

    assert not Authenticator.objects.filter(user=bob).exists()
    assert {bob.address, alice.address} <= deliver_notices()
    bob.refresh_from_db()
    assert not bob.is_mail_shut


def test_an_accomplice_of_today_is_no_second_person(
    signed_in: SignIn, olive: Person, bob: Person, letter: Message
) -> None:
    accomplice = factories.make_person("accomplice@secure.example")
    roles.give_staff(accomplice, RoleName.HELPDESK_AGENT, reason="New", by=olive)
    signed_in(olive, second_factor=True).post(
        f"/admin/people/{bob.pk}/second-factor/", {"reason": "Lost"}
    )
    (reset,) = FactorReset.objects.waiting()

    page = signed_in(accomplice, second_factor=True).post(
        f"/admin/people/recovery/factor/{reset.pk}/agree/", {"reason": "Lost"}
    )

    assert "Your role is too new" in page.content.decode()
    assert Authenticator.objects.filter(user=bob).exists()


def test_an_administrator_who_resets_alone_is_heard_and_finds_the_mailbox_shut(
    signed_in: SignIn, alice: Person, bob: Person, letter: Message
) -> None:
    dora = factories.make_person("dora@northfield.secure.example", bob.organisation)
    factories.make_mailbox(dora)
    factories.make_administrator(dora)

    signed_in(alice, second_factor=True).post(
        f"/organisation/{bob.organisation_id}/people/{bob.pk}/second-factor/",
        {"reason": "Phone lost"},
    )

    assert {bob.address, dora.address} <= deliver_notices()
    bob.refresh_from_db()
    assert bob.is_mail_shut
    page = signed_in(bob).get("/mail/")
    assert page.status_code == 403
    shown = page.content.decode()
    assert "Your mailbox is locked for now" in shown
    assert "The second factor was reset, by alice@" in shown
    assert "Dora" in shown


def test_staffs_own_accounts_are_operators_and_two(
    signed_in: SignIn, hugh: Person, olive: Person, vera: Person
) -> None:
    give_app(vera)
    reason = {"reason": "Lost"}

    signed_in(hugh, second_factor=True).post(
        f"/admin/people/{vera.pk}/second-factor/", reason
    )
    assert not FactorReset.objects.exists()
    signed_in(olive, second_factor=True).post(
        f"/admin/people/{vera.pk}/second-factor/", reason
    )

    assert FactorReset.objects.waiting().count() == 1
    assert Authenticator.objects.filter(user=vera).exists()


def test_a_first_sign_in_is_at_once_while_the_mailbox_is_empty(
    alice: Person, northfield: Organisation
) -> None:
    new = people.add(
        northfield,
        address="jo@northfield.secure.example",
        name="Jo",
        everyday_address="jo@mail.example",
        by=alice,
    )
    tasks.invite(new)
    jobs.run_queued()
    (message,) = mail.outbox
    link = message.body.split("http://127.0.0.1:8000")[1].split()[0]
    Client().post(link, {"password": "three other random words"})

    new.refresh_from_db()
    assert new.has_usable_password()
    assert not new.is_mail_shut


def test_a_first_sign_in_on_the_day_of_an_account_with_mail_is_shut(
    alice: Person, northfield: Organisation
) -> None:
    new = people.add(
        northfield,
        address="jo@northfield.secure.example",
        name="Jo",
        everyday_address=OWN_ADDRESS,
        by=alice,
    )
    tasks.invite(new)
    store_message(new.mailbox)
    jobs.run_queued()
    link = mail.outbox[0].body.split("http://127.0.0.1:8000")[1].split()[0]
    Client().post(link, {"password": "three other random words"})

    new.refresh_from_db()
    assert new.is_mail_shut
