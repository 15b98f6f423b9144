from __future__ import annotations

import time
from datetime import timedelta

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.actions import recovery, shut_mail
from engine.registry.errors import PolicyError
from engine.registry.models import Person, RecoveryAddressChange
from onboarding import signed_links
from portal.account import tasks
from tests.portal.conftest import SignIn
from tests.security.intruder import LINK, deliver_notices

PAGE = "/account/everyday-address/"
NEW = "bob@new.example"


@pytest.fixture
def requested_change(alice: Person, bob: Person) -> RecoveryAddressChange:
    """A change of Bob's everyday address, which Alice has requested."""
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")
    bob.refresh_from_db()
    return recovery.request_address_change(
        bob, address=NEW, reason="New provider", by=alice
    )


def test_the_owner_sees_that_nothing_waits(signed_in: SignIn, bob: Person) -> None:
    page = signed_in(bob).get(PAGE).text

    assert "No earlier changes." in page
    assert "Add an address" in page


def test_the_owner_changes_it_at_once_and_the_old_one_hears(
    signed_in: SignIn, bob: Person
) -> None:
    Person.objects.filter(pk=bob.pk).update(everyday_address="bob@home.example")

    page = signed_in(bob).post(f"{PAGE}change/", {"address": NEW}, follow=True)

    bob.refresh_from_db()
    assert bob.everyday_address == NEW
    assert "By you" in page.text
    assert {"bob@home.example", NEW, bob.address} <= deliver_notices()


def test_a_change_asks_again_who_it_is(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob, second_factor=True)
    session = client.session
    long_ago = [
        record | {"at": time.time() - 3600}
        for record in session[AUTHENTICATION_METHODS_SESSION_KEY]
    ]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = long_ago
    session.save()

    answer = client.post(f"{PAGE}change/", {"address": NEW})

    assert answer["Location"].startswith("/account/second-factor/reauthenticate/")
    bob.refresh_from_db()
    assert bob.everyday_address == ""


@pytest.mark.parametrize(
    ("address", "says"),
    [("", "Enter an email address"), ("bob@northfield.secure.example", "outside")],
)
def test_a_change_to_what_is_no_address(
    signed_in: SignIn, bob: Person, address: str, says: str
) -> None:
    assert says in signed_in(bob).post(f"{PAGE}change/", {"address": address}).text
    assert not RecoveryAddressChange.objects.exists()


def test_the_owner_refuses_on_the_page(
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    requested_change: RecoveryAddressChange,
) -> None:
    client = signed_in(bob)

    assert "Change pending" in client.get("/account/").text
    assert "New provider" in client.get(PAGE).text
    client.post(f"{PAGE}refuse/")

    requested_change.refresh_from_db()
    assert requested_change.refused_by_name == bob.address
    assert "Refused by" in client.get(PAGE).text
    assert {"bob@home.example", alice.address} <= deliver_notices()


def test_the_owner_refuses_by_the_link_in_the_notice(
    client: Client, bob: Person, alice: Person, requested_change: RecoveryAddressChange
) -> None:
    deliver_notices()
    (notice,) = [m for m in mail.outbox if m.to == ["bob@home.example"]]
    (path,) = LINK.findall(notice.body)
    # An administrator is notified too, without the link.
    (notification,) = [m for m in mail.outbox if m.to == [alice.address]]
    assert not LINK.findall(notification.body)

    assert "Refuse the change" in client.get(path).text
    requested_change.refresh_from_db()
    assert requested_change.is_pending
    assert "The change is refused" in client.post(path).text

    requested_change.refresh_from_db()
    assert requested_change.refused_at is not None
    assert Entry.objects.filter(event="person.address_change_refused").count() == 1
    client.post(path)
    assert Entry.objects.filter(event="person.address_change_refused").count() == 1


def test_a_made_up_link_refuses_nothing(client: Client, db: None) -> None:
    path = reverse("account:refuse_by_link", args=["1:made:up"])

    assert client.post(path).status_code == 404


def test_a_change_in_force_is_no_longer_refused(
    client: Client, bob: Person, requested_change: RecoveryAddressChange
) -> None:
    RecoveryAddressChange.objects.update(effective_at=timezone.now())
    recovery.apply_due_change(bob)

    path = reverse(
        "account:refuse_by_link",
        args=[signed_links.address_change_token(requested_change.pk)],
    )

    assert "has taken effect" in client.post(path).text
    with pytest.raises(PolicyError, match="has taken effect"):
        recovery.refuse_address_change(requested_change, by=bob)


def test_a_link_goes_to_the_address_in_force(
    bob: Person, requested_change: RecoveryAddressChange
) -> None:
    tasks.send_password_reset(bob.address)
    # No job has run: the time alone is decisive.
    RecoveryAddressChange.objects.update(effective_at=timezone.now())
    tasks.send_password_reset(bob.address)

    assert [m.to for m in mail.outbox] == [["bob@home.example"], [NEW]]


def test_a_refused_change_never_takes_effect(
    bob: Person, requested_change: RecoveryAddressChange
) -> None:
    recovery.refuse_address_change(requested_change, by=bob)

    RecoveryAddressChange.objects.update(effective_at=timezone.now())
    recovery.apply_due_change(bob)

    assert recovery.apply_due_changes() == 0
    assert bob.everyday_address == "bob@home.example"


def test_the_job_settles_once(
    bob: Person, requested_change: RecoveryAddressChange
) -> None:
    RecoveryAddressChange.objects.update(effective_at=timezone.now())

    assert (recovery.apply_due_changes(), recovery.apply_due_changes()) == (1, 0)

    bob.refresh_from_db()
    assert bob.everyday_address == NEW
    assert Entry.objects.filter(event="person.address_changed").count() == 1


def test_a_link_that_went_to_the_address_before_ends_with_it(bob: Person) -> None:
    bob.set_unusable_password()
    bob.save()
    token = signed_links.first_sign_in_token(bob)
    assert signed_links.first_sign_in(token).is_live

    recovery.change_own_address(bob, address=NEW, by=bob)

    assert not signed_links.first_sign_in(token).is_live


def test_only_the_owner_sets_it_at_once(alice: Person, bob: Person) -> None:
    with pytest.raises(PolicyError, match="Only the owner"):
        recovery.change_own_address(bob, address=NEW, by=alice)
    with pytest.raises(PolicyError, match="your own address"):
        recovery.request_address_change(bob, address=NEW, reason="x", by=bob)


def test_a_reset_through_an_address_of_today_shuts_the_mailbox(
    client: Client, bob: Person
) -> None:
    recovery.change_own_address(bob, address=NEW, by=bob)
    tasks.send_password_reset(bob.address)
    (path,) = LINK.findall(mail.outbox[0].body)
    password = "three other random words"

    page = client.get(path, follow=True)
    typed = {"password1": password, "password2": password}
    client.post(page.request["PATH_INFO"], typed)

    bob.refresh_from_db()
    assert bob.is_mail_shut
    client.post("/account/login/", {"login": bob.address, "password": password})
    assert client.get("/mail/").status_code == 403
    bob.refresh_from_db()
    assert bob.mail_shut_until is not None


def test_a_reset_through_an_address_of_last_week_shuts_nothing(bob: Person) -> None:
    recovery.change_own_address(bob, address=NEW, by=bob)
    week = timedelta(days=7)
    RecoveryAddressChange.objects.update(applied_at=timezone.now() - week)

    shut_mail.shut_after_recovery(bob, sent_at=timezone.now())

    assert not bob.is_mail_shut
