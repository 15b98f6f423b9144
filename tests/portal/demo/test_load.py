from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from django.db import transaction
from pytest_django import DjangoDbBlocker

from engine.mail.dkim.public_key import Key
from engine.network import dns
from engine.registry import permissions
from engine.registry.actions import organisations, people
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import (
    AccountType,
    ApiKey,
    Kind,
    Mailbox,
    Organisation,
    Person,
    RoleName,
)
from engine.storage.models import FolderRole, Message
from portal.demo import demo_file, dkim_keys, load
from portal.demo.demo_file import Facts
from portal.demo.dns_server import NameServer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def loaded(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Facts, Path]]:
    """The loaded community, unchanged for each test, and a copy of its file."""
    copy = tmp_path_factory.mktemp("demo") / "demo.json"
    with django_db_blocker.unblock(), transaction.atomic():
        demo_file.path().unlink(missing_ok=True)
        facts = load.load_community()
        shutil.copy2(demo_file.path(), copy)
        yield facts, copy
        transaction.set_rollback(True)


@pytest.fixture
def facts(loaded: tuple[Facts, Path]) -> Facts:
    facts, copy = loaded
    shutil.copy2(copy, demo_file.path())
    return deepcopy(facts)


def test_community_has_every_account_type_and_every_role(facts: Facts) -> None:
    types = {item["account_type"] for item in facts["organisations"]}
    roles = {person["role"] for person in facts["people"]}

    assert types == set(AccountType.values)
    assert roles == set(RoleName.values)
    assert len(facts["people"]) >= 10


def test_people_sign_in_with_what_the_file_says(facts: Facts) -> None:
    for entry in facts["people"]:
        person = Person.objects.get(address=entry["address"])
        assert person.check_password(entry["password"])
        assert bool(entry["totp_secret"]) == permissions.needs_second_factor(person)


def test_second_factor_takes_the_code_of_the_secret(facts: Facts) -> None:
    entry = next(p for p in facts["people"] if p["role"] == RoleName.OPERATOR)
    factor = Authenticator.objects.get(
        user__address=entry["address"], type=Authenticator.Type.TOTP
    )

    code = format_hotp_value(hotp_value(entry["totp_secret"], next(counters())))

    assert TOTP(factor).validate_code(code)


def test_mail_clients_sign_in_where_there_is_a_mailbox(facts: Facts) -> None:
    for entry in facts["people"]:
        if Mailbox.objects.filter(owner__address=entry["address"]).exists():
            found = authentication.authenticate_person(
                entry["address"], entry["app_password"]
            )
            assert found is not None
        else:
            assert entry["app_password"] == ""


def test_servers_sign_in_where_a_credential_proves_them(facts: Facts) -> None:
    firm = next(o for o in facts["organisations"] if o["account_type"] == "smtp")
    entry = firm["connection"]

    found = authentication.authenticate_connection(entry["username"], entry["password"])

    assert found is not None
    assert found.organisation.name == firm["name"]


def test_keys_are_of_a_member_and_of_the_community(facts: Facts) -> None:
    said = facts["api"]
    of_a_member, of_everybody = (
        ApiKey.objects.get(digest=generated_secrets.digest(said[name]))
        for name in ("key", "community_key")
    )

    assert str(of_a_member.organisation) == said["organisation"]
    assert said["organisation"] == "Northgate Crown Court"
    assert of_everybody.organisation is None


def test_lists_reach_across_organisations(facts: Facts) -> None:
    (entry,) = facts["distribution_lists"]

    assert len({member.partition("@")[2] for member in entry["members"]}) > 2


def test_group_mailboxes_say_who_may_what(facts: Facts) -> None:
    listing = next(
        item for item in facts["group_mailboxes"] if "listing@" in item["address"]
    )

    rights = {item["address"]: item["rights"] for item in listing["members"]}
    assert rights["ben@northgate.secure.example"] == ["read", "write", "send"]
    assert rights["priya@northgate.secure.example"] == ["read"]


def test_mailboxes_hold_mail_read_and_unread_and_sent(facts: Facts) -> None:
    assert Message.objects.filter(folder__role=FolderRole.INBOX, is_read=True).exists()
    assert Message.objects.filter(folder__role=FolderRole.INBOX, is_read=False).exists()
    assert Message.objects.filter(folder__role=FolderRole.SENT).exists()


def test_file_is_readable_by_its_owner_only(facts: Facts) -> None:
    assert stat.S_IMODE(demo_file.path().stat().st_mode) == 0o600


def test_second_load_changes_nothing(facts: Facts) -> None:
    messages = Message.objects.count()

    assert load.load_community() == facts
    assert Message.objects.count() == messages


def test_lost_file_is_written_with_secrets_that_work(facts: Facts) -> None:
    demo_file.path().unlink()

    again = load.load_community()

    entry = again["people"][0]
    assert entry["password"] != facts["people"][0]["password"]
    assert Person.objects.get(address=entry["address"]).check_password(
        entry["password"]
    )
    old = facts["people"][0]
    assert (
        authentication.authenticate_person(old["address"], old["app_password"]) is None
    )


def test_a_person_who_joined_since_keeps_their_password(facts: Facts) -> None:
    joined = organisations.add(
        name="Newcomer", kind=Kind.CHARITY, account_type=AccountType.SMTP, by=None
    )
    court = Organisation.objects.get(name="Northgate Crown Court")
    person = people.add(
        court,
        address="nina@northgate.secure.example",
        name="Nina Reyes",
        password="typed by herself",
        by=None,
    )

    again = load.load_community()

    person.refresh_from_db()
    assert person.check_password("typed by herself")
    assert joined.name not in {item["name"] for item in again["organisations"]}
    assert person.address not in {item["address"] for item in again["people"]}


def test_the_cloud_organisation_has_all_that_its_provider_needs(facts: Facts) -> None:
    council = next(
        o for o in facts["organisations"] if o["account_type"] == "cloud_gateway"
    )
    entry = council["connection"]

    assert entry["provider"] == "microsoft_365"
    assert len(entry["tenant_id"]) == 36
    assert Path(entry["dkim_key_file"]).read_text().startswith("-----BEGIN RSA")
    assert stat.S_IMODE(Path(entry["dkim_key_file"]).stat().st_mode) == 0o600


def test_the_demos_names_lead_to_its_servers_and_keys(
    facts: Facts, name_server: NameServer
) -> None:
    dkim_keys.publish(name_server)

    assert dns.mx("eastvale.example") == [
        dns.MailExchanger(0, "eastvale-example.mail.protection.outlook.com")
    ]
    [key] = dns.txt("selector1._domainkey.eastvale.example")
    assert Key.parse(key).algorithm == "rsa-sha256"
