from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.audit.models import Entry
from engine.mail.dkim.public_key import Key
from engine.registry import tasks
from engine.registry.actions import mail_keys as actions
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation
from engine.signing import key_records, mail_keys
from engine.signing.keyring import Keyring
from engine.signing.models import KeyRecord, KeyState, MailKey
from portal.console.operations import secret_key_rotation
from portal.demo.dns_server import NameServer

pytestmark = pytest.mark.django_db

SUFFIX = "secure.example"
HOSTED = "northfield.secure.example"
FIRST = ["postern-ed25519-1", "postern-rsa-1"]
SECOND = ["postern-ed25519-2", "postern-rsa-2"]


def publish(names: NameServer, domain: str = SUFFIX) -> None:
    actions.make_missing(by=None)
    for record in key_records.wanted(domain):
        if record.kind == "CNAME":
            names.add_alias(record.name, record.value)
        else:
            names.remove(record.name, "TXT")
            names.add_text(record.name, record.value)


def current() -> list[str]:
    keys = MailKey.objects.filter(state=KeyState.CURRENT)
    return list(keys.values_list("selector", flat=True))


def signers(domain: str = SUFFIX) -> list[str]:
    keyring = Keyring()
    keyring.refresh()
    keys = keyring.signers.of_author(domain)
    return [f"{key.selector}._domainkey.{key.domain}" for key in keys]


def months_pass() -> None:
    for key in MailKey.objects.filter(used_since__isnull=False):
        key.used_since -= timedelta(days=181)
        key.save()


def events() -> list[str]:
    entries = Entry.objects.filter(event__startswith="mail_key.").order_by("id")
    return [entry.event for entry in entries]


def test_keys_are_made_sealed_and_none_signs_before_its_record_is_there(
    name_server: NameServer,
) -> None:
    tasks.keep_mail_keys()

    keys = list(MailKey.objects.all())
    assert [key.selector for key in keys] == sorted(FIRST + SECOND)
    assert not any("PRIVATE" in key.sealed_private_key for key in keys)
    assert current() == []
    assert signers() == []
    assert {row.problem for row in KeyRecord.objects.all()} == {
        "No record was found at this name yet. New records can take an hour to show."
    }
    assert events() == ["mail_key.made"] * 4


def test_keys_are_used_as_soon_as_their_records_are_there(
    name_server: NameServer,
) -> None:
    publish(name_server)

    tasks.keep_mail_keys()

    assert current() == FIRST
    assert signers() == [f"{one}._domainkey.{SUFFIX}" for one in FIRST]
    assert events()[-2:] == ["mail_key.used"] * 2
    tasks.keep_mail_keys()
    assert len(events()) == 6


def test_a_key_is_replaced_after_half_a_year_and_its_record_stays_for_a_week(
    name_server: NameServer,
) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    months_pass()

    tasks.keep_mail_keys()

    assert current() == SECOND
    retired = MailKey.objects.filter(state=KeyState.RETIRED)
    assert [key.selector for key in retired] == FIRST
    before = set(retired.values_list("public_key", flat=True))
    MailKey.objects.filter(state=KeyState.RETIRED).update(
        retired_at=timezone.now() - timedelta(days=8)
    )
    tasks.keep_mail_keys()
    made = MailKey.objects.filter(state=KeyState.NEXT)
    assert [key.selector for key in made] == FIRST
    assert before.isdisjoint(made.values_list("public_key", flat=True))
    tasks.keep_mail_keys()
    assert set(
        KeyRecord.objects.filter(key__selector__in=FIRST).values_list(
            "problem", flat=True
        )
    ) == {"The record has another key. Replace its value with this one."}


def test_no_key_is_used_whose_record_is_not_there(name_server: NameServer) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    for selector in SECOND:
        name_server.remove(f"{selector}._domainkey.{SUFFIX}", "TXT")
    months_pass()

    tasks.keep_mail_keys()

    assert current() == FIRST
    with pytest.raises(PolicyError, match="is not visible yet"):
        actions.rotate(by=None)


def test_keys_that_others_may_have_are_deleted_at_once(name_server: NameServer) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    before = set(
        MailKey.objects.filter(selector__in=FIRST).values_list("public_key", flat=True)
    )

    actions.rotate(is_compromised=True, by=None)

    assert current() == SECOND
    made = MailKey.objects.filter(state=KeyState.NEXT)
    assert [key.selector for key in made] == FIRST
    assert before.isdisjoint(made.values_list("public_key", flat=True))
    assert not KeyRecord.objects.filter(key__selector__in=FIRST).exists()
    with pytest.raises(PolicyError, match="Publish it, and check again"):
        actions.rotate(by=None)


def test_a_hosted_domain_follows_by_cname(
    name_server: NameServer, northfield: Organisation, firm: Organisation
) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    assert signers(HOSTED) == [f"{one}._domainkey.{SUFFIX}" for one in FIRST]
    publish(name_server, HOSTED)

    KeyRecord.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    tasks.keep_mail_keys()
    assert signers(HOSTED) == [f"{one}._domainkey.{HOSTED}" for one in FIRST]
    # A server of its own signs for itself; what we hand on is the community's.
    assert signers("firm.example.secure.example")[0].endswith(f"_domainkey.{SUFFIX}")
    months_pass()
    tasks.keep_mail_keys()
    assert signers(HOSTED) == [f"{one}._domainkey.{HOSTED}" for one in SECOND]

    northfield.domains.all().delete()
    tasks.keep_mail_keys()
    assert not KeyRecord.objects.filter(domain=HOSTED).exists()


def test_a_name_server_that_is_away_changes_nothing(name_server: NameServer) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    for selector in FIRST + SECOND:
        name_server.failing.add(f"{selector}._domainkey.{SUFFIX}")

    tasks.keep_mail_keys()

    assert len(signers()) == 2
    row = KeyRecord.objects.get(key__selector=FIRST[0], domain=SUFFIX)
    assert row.is_visible
    assert row.problem == (
        "The name servers of secure.example do not answer. It is tried again."
    )


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["{ours}", "v=spf1 -all"], "There are 2 TXT records at this name"),
        (
            ["v=DKIM1; k=rsa; p=AAAA"],
            "The record cannot be used: the key cannot be read",
        ),
        (["v=DKIM1; p="], "The record cannot be used: the key is revoked"),
        (["{ours}; t=y"], "The record says t=y"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(
    name_server: NameServer, texts: list[str], problem: str
) -> None:
    actions.make_missing(by=None)
    key = MailKey.objects.get(selector="postern-rsa-1")
    for text in texts:
        name_server.add_text(
            key_records.target(key), text.format(ours=key_records.text(key))
        )

    assert key_records.look_up(SUFFIX, key).problem.startswith(problem)


def test_a_record_at_the_domain_twice_is_recognised(name_server: NameServer) -> None:
    actions.make_missing(by=None)
    key = MailKey.objects.get(selector="postern-rsa-1")
    name_server.add_text(f"{key_records.target(key)}.{SUFFIX}", key_records.text(key))

    assert "adds the domain automatically" in key_records.look_up(SUFFIX, key).problem


def test_a_line_of_a_zone_file_has_strings_that_fit() -> None:
    actions.make_missing(by=None)
    line = key_records.zone_line(MailKey.objects.get(selector="postern-rsa-1"))

    strings = line.partition("(")[2].rpartition(")")[0].split('"')[1::2]
    assert max(map(len, strings)) <= 255
    assert Key.parse("".join(strings)).algorithm == "rsa-sha256"


def test_the_secret_key_can_change(name_server: NameServer, settings: Settings) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    earlier, settings.SECRET_KEY = settings.SECRET_KEY, Fernet.generate_key().decode()

    assert signers() == []
    settings.SECRET_KEY_FALLBACKS = [earlier]
    assert len(signers()) == 2
    findings = {one.what: one for one in secret_key_rotation.rekey()}
    assert findings["DKIM keys"].earlier == []
    settings.SECRET_KEY_FALLBACKS = []
    assert len(signers()) == 2


def test_signing_can_be_off(name_server: NameServer, settings: Settings) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    settings.POSTERN = settings.POSTERN.model_copy(update={"sign_mail": False})

    assert signers() == []
    assert tasks.keep_mail_keys() == 0


def test_what_cannot_be_opened_stops_nothing_else(name_server: NameServer) -> None:
    publish(name_server)
    tasks.keep_mail_keys()
    MailKey.objects.filter(selector=FIRST[0]).update(sealed_private_key="broken")

    assert signers() == [f"{FIRST[1]}._domainkey.{SUFFIX}"]
    lost = MailKey.objects.get(selector=FIRST[0])
    assert "sealed with another secret key" in mail_keys.fault(lost)

    [made] = actions.replace_lost(by=None)

    assert (made.selector, made.state) == (FIRST[0], KeyState.NEXT)
    assert not mail_keys.fault(made)
    assert not made.records.exists()
