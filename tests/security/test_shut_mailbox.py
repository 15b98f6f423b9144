"""A mailbox closed after a recovery: every way in, and who can open it again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from engine.registry.actions import recovery, shut_mail
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import Organisation, Person, Recovery
from engine.storage.models import Message
from tests import factories
from tests.api.conftest import Api
from tests.portal.conftest import SignIn
from tests.security.intruder import OWN_ADDRESS, deliver_notices


@pytest.fixture
def recovered_bob(alice: Person, bob: Person, letter: Message) -> Person:
    """Bob, whose mailbox is closed after a recovery by Alice alone."""
    shut_mail.shut_after_factor_reset(bob, by=alice, agreed_by=None)
    bob.refresh_from_db()
    return bob


def test_every_way_to_the_mail_is_shut(
    signed_in: SignIn, recovered_bob: Person, letter: Message
) -> None:
    before = factories.make_app_password(
        recovered_bob, generated_secrets.digest("before")
    )
    type(before).objects.filter(pk=before.pk).update(created_at="2020-01-01T00:00Z")
    factories.make_app_password(recovered_bob, generated_secrets.digest("made-since"))
    client = signed_in(recovered_bob)
    mailbox = recovered_bob.mailbox.pk

    for path in (
        "/mail/",
        f"/mail/messages/{letter.pk}/",
        f"/mail/messages/{letter.pk}/source/",
        f"/mail/mailboxes/{mailbox}/search/?q=mill",
        f"/mail/mailboxes/{mailbox}/copies/",
        f"/mail/mailboxes/{mailbox}/rules/",
        "/account/app-passwords/",
    ):
        assert client.get(path).status_code == 403, path
    # Mail programs that were set up before still work; new ones cannot be added.
    assert (
        authentication.authenticate_person(recovered_bob.address, "made-since") is None
    )
    assert (
        authentication.authenticate_person(recovered_bob.address, "before")
        == recovered_bob
    )
    assert not authentication.is_app_password_valid(
        generated_secrets.digests("made-since"),
        generation=recovered_bob.session_generation,
    )


def test_a_recovered_account_makes_no_other_way_in(
    signed_in: SignIn, recovered_bob: Person, letter: Message
) -> None:
    factories.make_administrator(recovered_bob)
    client = signed_in(recovered_bob, second_factor=True)

    page = client.post(
        f"/organisation/{recovered_bob.organisation_id}/api/keys/add/",
        {"name": "Cases", "scopes": ["messages:read"]},
    )
    answer = Api(page.context["secret"])("GET", f"/messages/{letter.pk}/")
    changed = client.post("/account/everyday-address/change/", {"address": OWN_ADDRESS})

    assert answer.status_code == 404
    assert "when it is unlocked" in changed.content.decode()


def test_the_time_runs_from_the_first_sign_in_and_then_it_opens(
    client: Client, recovered_bob: Person
) -> None:
    assert recovered_bob.mail_shut_until is None
    Authenticator.objects.filter(user=recovered_bob).delete()

    typed = {"login": recovered_bob.address, "password": factories.PASSWORD}
    client.post("/account/login/", typed)

    recovered_bob.refresh_from_db()
    assert recovered_bob.mail_shut_until > timezone.now() + timedelta(hours=23)
    assert client.get("/mail/").status_code == 403
    Person.objects.filter(pk=recovered_bob.pk).update(mail_shut_until=timezone.now())
    assert client.get("/mail/", follow=True).status_code == 200


def test_a_second_person_opens_it_and_the_one_who_acted_does_not(
    signed_in: SignIn, hugh: Person, alice: Person, recovered_bob: Person
) -> None:
    (row,) = Recovery.objects.all()
    at = f"/organisation/{recovered_bob.organisation_id}/people/recovery/mail/{row.pk}/agree/"

    refused = signed_in(alice, second_factor=True).post(at, {"reason": "Mine"})
    assert "Ask another administrator" in refused.content.decode()
    signed_in(hugh, second_factor=True).post(
        f"/admin/people/recovery/mail/{row.pk}/agree/", {"reason": "Called back"}
    )

    recovered_bob.refresh_from_db()
    assert not recovered_bob.is_mail_shut
    assert signed_in(recovered_bob).get("/mail/", follow=True).status_code == 200
    assert {recovered_bob.address, alice.address} <= deliver_notices()


def test_who_was_just_recovered_is_no_second_person(
    signed_in: SignIn, alice: Person, bob: Person, recovered_bob: Person
) -> None:
    factories.make_administrator(recovered_bob)
    change = recovery.request_address_change(
        factories.make_person(
            "dora@northfield.secure.example",
            bob.organisation,
            last_login=timezone.now(),
        ),
        address=OWN_ADDRESS,
        reason="x",
        by=alice,
    )

    page = signed_in(recovered_bob, second_factor=True).post(
        f"/organisation/{bob.organisation_id}/people/recovery/address/{change.pk}/agree/",
        {"reason": "x"},
    )

    assert "has just been recovered" in page.content.decode()


def test_those_who_can_open_it_are_told_apart(
    signed_in: SignIn, recovered_bob: Person, northfield: Organisation
) -> None:
    """Two administrators have the same name; their addresses differ."""
    for local in ("c1", "c2"):
        person = factories.make_person(
            f"{local}@northfield.secure.example", northfield, name="Clara Moss"
        )
        factories.make_administrator(person)

    page = signed_in(recovered_bob).get("/mail/").content.decode()

    for local in ("c1", "c2"):
        assert f"Clara Moss ({local}@northfield.secure.example)" in page
