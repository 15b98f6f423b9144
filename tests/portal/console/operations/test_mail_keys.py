from __future__ import annotations

from engine.audit.models import Entry
from engine.registry import tasks
from engine.registry.actions import mail_keys
from engine.registry.models import Organisation, Person
from engine.signing import key_records
from engine.signing.models import KeyState, MailKey
from portal.demo.dns_server import NameServer
from tests.portal.conftest import SignIn

AT = "/admin/mail-keys/"
SUFFIX = "secure.example"
HOSTED = "northfield.secure.example"


def test_operator_publishes_the_records_checks_them_and_uses_the_next_keys(
    signed_in: SignIn, olive: Person, northfield: Organisation, name_server: NameServer
) -> None:
    client = signed_in(olive, second_factor=True)
    assert "No keys yet" in client.get(AT).content.decode()

    page = client.post(f"{AT}check/", follow=True).content.decode()

    assert "4 records are not right yet" in page
    assert "Mail is not signed at the moment" in page
    assert "No record was found at this name yet" in page
    for record in key_records.wanted(SUFFIX):
        assert record.name in page
        assert record.value in page
        name_server.add_text(record.name, record.value)
    page = client.post(f"{AT}check/", follow=True).content.decode()
    assert "All records are there" in page
    assert "not signed at the moment" not in page
    assert page.count("Signs since") == 2
    # The hosted domain has none of its own yet.
    assert HOSTED in page

    client.post(f"{AT}rotate/", {})

    page = client.get(AT).content.decode()
    assert page.count("Signs since") == page.count("Retired") == 2
    used = Entry.objects.filter(event="mail_key.used").order_by("-id")[:2]
    assert {entry.by_name for entry in used} == {str(olive)}
    refused = client.post(f"{AT}rotate/", {"is_compromised": "on"}).content.decode()
    assert "has not been made yet" in refused


def test_what_a_hosted_domain_needs_is_shown_to_staff_and_to_its_administrator(
    signed_in: SignIn,
    olive: Person,
    alice: Person,
    northfield: Organisation,
    name_server: NameServer,
) -> None:
    mail_keys.make_missing(by=None)
    domain = northfield.domains.get()
    for record in key_records.wanted(SUFFIX):
        name_server.add_text(record.name, record.value)
    for record in key_records.wanted(HOSTED):
        name_server.add_alias(record.name, record.value)
    tasks.keep_mail_keys()

    staff = signed_in(olive, second_factor=True)
    page = staff.get(f"/admin/organisations/{northfield.pk}/domains/{domain.pk}/")
    assert page.content.decode().count("Found") == 4
    assert f"postern-rsa-1._domainkey.{SUFFIX}." in page.content.decode()
    assert "every hosted domain is signed" in staff.get(AT).content.decode()
    own = signed_in(alice, second_factor=True)
    page = own.get(f"/organisation/{northfield.pk}/addresses/{domain.pk}/")
    assert page.content.decode().count("Found") == 2


def test_other_staff_change_no_keys(
    signed_in: SignIn, vera: Person, hugh: Person, alice: Person
) -> None:
    mail_keys.make_missing(by=None)
    for visitor in (vera, hugh, alice):
        client = signed_in(visitor, second_factor=True)
        assert client.get(AT).status_code in (302, 403, 404)
        assert client.post(f"{AT}check/").status_code in (302, 403, 404)
        assert client.post(f"{AT}rotate/", {}).status_code in (302, 403, 404)
    assert not MailKey.objects.exclude(state=KeyState.NEXT).exists()
