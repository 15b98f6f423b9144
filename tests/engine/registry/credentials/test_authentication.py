from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.registry.actions import connections, people
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.credentials.sign_in_throttle import (
    PEER_LIMIT,
    USERNAME_LIMIT,
    Throttle,
    TooManyAttemptsError,
)
from engine.registry.models import AppPassword, OrganisationStatus
from tests import factories

pytestmark = pytest.mark.django_db
PEER = "192.0.2.1"


@pytest.fixture
def app_password(alice):
    return people.add_app_password(alice, name="Phone", by=alice)


@pytest.fixture
def credential(firm_connection):
    return connections.add_credential(firm_connection, by=None)


def test_new_secret_holds_at_least_128_bits_in_readable_groups():
    secret = generated_secrets.new_secret()
    groups = secret.split("-")

    assert {len(group) for group in groups} == {4}
    assert 5 * sum(map(len, groups)) >= 128
    assert set("".join(groups)) <= set(generated_secrets.ALPHABET)


def test_new_secret_is_never_the_same():
    assert len({generated_secrets.new_secret() for _ in range(1000)}) == 1000


def test_digest_forgives_how_a_secret_is_typed():
    assert generated_secrets.digest("K7QD 3M90-o1il") == generated_secrets.digest(
        "k7qd-3m90-0111"
    )


def test_digest_is_keyed(settings):
    before = generated_secrets.digest("k7qd")
    settings.SECRET_KEY = "another"

    assert generated_secrets.digest("k7qd") != before


def test_a_secret_is_kept_nowhere(app_password, credential):
    for row, secret in (app_password, credential):
        kept = [str(value) for value in vars(row).values()]
        assert not any(secret in text for text in kept)


def test_find_connection(credential, firm_connection):
    row, secret = credential

    assert (
        authentication.authenticate_connection(row.username, secret) == firm_connection
    )
    assert (
        authentication.authenticate_connection(row.username.upper(), secret)
        == firm_connection
    )


@pytest.mark.parametrize(
    ("username", "secret"),
    [("", ""), ("firm", "wrong"), ("nobody", "k7qd-3m9x"), ("a" * 5000, "x" * 5000)],
)
def test_find_connection_by_something_wrong(credential, username, secret):
    assert authentication.authenticate_connection(username, secret) is None


def test_find_connection_by_another_ones_secret(credential, northfield):
    row, _ = credential
    other = factories.make_connection(northfield)
    _, secret = connections.add_credential(other, by=None)

    assert authentication.authenticate_connection(row.username, secret) is None


def test_find_connection_while_changing_over(credential, firm_connection):
    old, old_secret = credential
    new, new_secret = connections.add_credential(firm_connection, by=None)
    assert authentication.authenticate_connection(old.username, old_secret)
    assert authentication.authenticate_connection(new.username, new_secret)

    connections.revoke_credential(old, by=None)
    assert authentication.authenticate_connection(old.username, old_secret) is None
    assert authentication.authenticate_connection(new.username, new_secret)


def test_find_connection_that_is_suspended(credential, firm_connection):
    row, secret = credential
    connections.suspend(firm_connection, reason="moved", by=None)

    assert authentication.authenticate_connection(row.username, secret) is None


@pytest.mark.parametrize(
    "status",
    [
        OrganisationStatus.PENDING,
        OrganisationStatus.SUSPENDED,
        OrganisationStatus.CLOSED,
    ],
)
def test_find_connection_of_an_organisation_that_is_not_active(
    credential, firm, status
):
    row, secret = credential
    firm.status = status
    firm.save()

    assert authentication.authenticate_connection(row.username, secret) is None


def test_find_person(app_password, alice):
    _, secret = app_password

    assert authentication.authenticate_person(alice.address, secret) == alice
    assert (
        authentication.authenticate_person(" Alice@NORTHFIELD.secure.example", secret)
        == alice
    )


def test_find_person_by_the_sign_in_password(alice):
    assert alice.check_password(factories.PASSWORD)
    assert authentication.authenticate_person(alice.address, factories.PASSWORD) is None


def test_find_person_by_another_ones_app_password(app_password, bob):
    _, secret = app_password

    assert authentication.authenticate_person(bob.address, secret) is None


@pytest.mark.parametrize("address", ["", "alice", "@", "a\x00@b", "é" * 300])
def test_find_person_by_what_is_no_address(app_password, address):
    assert authentication.authenticate_person(address, app_password[1]) is None


def test_find_person_by_a_revoked_app_password(app_password, alice):
    row, secret = app_password
    people.revoke_app_password(row, by=alice)

    assert authentication.authenticate_person(alice.address, secret) is None


def test_find_person_by_an_app_password_that_expires(alice):
    soon = timezone.now() + timedelta(hours=1)
    row, secret = people.add_app_password(
        alice, name="Laptop", expires_at=soon, by=alice
    )
    assert authentication.authenticate_person(alice.address, secret) == alice

    AppPassword.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert authentication.authenticate_person(alice.address, secret) is None


def test_find_person_who_is_suspended(app_password, alice):
    alice.is_active = False
    alice.save()

    assert authentication.authenticate_person(alice.address, app_password[1]) is None


def test_find_person_of_a_suspended_organisation(app_password, alice, northfield):
    northfield.status = OrganisationStatus.SUSPENDED
    northfield.save()

    assert authentication.authenticate_person(alice.address, app_password[1]) is None


def test_find_person_notes_the_use_once_a_minute(app_password, alice):
    row, secret = app_password
    authentication.authenticate_person(alice.address, secret)
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None

    authentication.authenticate_person(alice.address, secret)
    row.refresh_from_db()
    assert row.last_used_at == first

    long_ago = timezone.now() - timedelta(minutes=2)
    AppPassword.objects.filter(pk=row.pk).update(last_used_at=long_ago)
    authentication.authenticate_person(alice.address, secret)
    row.refresh_from_db()
    assert row.last_used_at > long_ago


def test_failing_in_a_name_shuts_the_name_for_a_while(app_password, alice, clock):
    _, secret = app_password
    for _ in range(USERNAME_LIMIT):
        assert (
            authentication.authenticate_person(alice.address, "wrong", peer=PEER)
            is None
        )

    with pytest.raises(TooManyAttemptsError) as refused:
        authentication.authenticate_person(alice.address, secret, peer="192.0.2.2")
    assert (refused.value.reply.code, refused.value.reply.enhanced) == (454, "4.7.0")
    assert "wait 15 minutes" in refused.value.reply.text

    clock.advance(minutes=16)
    assert (
        authentication.authenticate_person(alice.address, secret, peer="192.0.2.2")
        == alice
    )


def test_failing_in_a_name_does_not_shut_out_who_has_signed_in(credential):
    row, secret = credential
    assert authentication.authenticate_connection(
        row.username, secret, peer="198.51.100.1"
    )
    for _ in range(USERNAME_LIMIT):
        authentication.authenticate_connection(row.username, "wrong", peer=PEER)

    assert authentication.authenticate_connection(
        row.username, secret, peer="198.51.100.1"
    )


def test_nor_after_a_restart_that_forgot_who_has(credential, clock, monkeypatch):
    row, secret = credential
    assert authentication.authenticate_connection(
        row.username, secret, peer="198.51.100.1"
    )
    monkeypatch.setattr(authentication, "throttle", Throttle(clock=clock))
    for _ in range(USERNAME_LIMIT):
        authentication.authenticate_connection(row.username, "wrong", peer=PEER)

    assert authentication.authenticate_connection(
        row.username, secret, peer="198.51.100.9"
    )


def test_a_mail_program_is_not_shut_out_from_its_network(
    app_password, alice, clock, monkeypatch
):
    _, secret = app_password
    assert authentication.authenticate_person(
        alice.address, secret, peer="198.51.100.1"
    )
    monkeypatch.setattr(authentication, "throttle", Throttle(clock=clock))
    for _ in range(USERNAME_LIMIT):
        authentication.authenticate_person(alice.address, "wrong", peer=PEER)

    assert (
        authentication.authenticate_person(alice.address, secret, peer="198.51.100.9")
        == alice
    )
    with pytest.raises(TooManyAttemptsError):
        authentication.authenticate_person(alice.address, secret, peer="203.0.113.9")


def test_nor_by_whoever_fails_beside_it(app_password, alice):
    _, secret = app_password
    assert authentication.authenticate_person(alice.address, secret, peer=PEER)
    for number in range(PEER_LIMIT):
        authentication.authenticate_person(
            f"x{number}@northfield.secure.example", "x", peer=PEER
        )

    assert authentication.authenticate_person(alice.address, secret, peer=PEER) == alice


def test_a_known_network_has_a_limit_of_its_own(app_password, alice, clock):
    _, secret = app_password
    authentication.authenticate_person(alice.address, secret, peer=PEER)
    for _ in range(USERNAME_LIMIT):
        authentication.authenticate_person(alice.address, "wrong", peer=PEER)
    clock.advance(minutes=5)

    with pytest.raises(TooManyAttemptsError) as refused:
        authentication.authenticate_person(alice.address, secret, peer=PEER)
    assert "wait 10 minutes" in refused.value.reply.text
    assert (
        authentication.authenticate_person(alice.address, secret, peer="198.51.100.1")
        == alice
    )


def test_the_networks_of_a_revoked_app_password_are_strangers(
    app_password, alice, bob, clock, monkeypatch
):
    row, secret = app_password
    authentication.authenticate_person(alice.address, secret, peer="198.51.100.1")
    people.revoke_app_password(row, by=alice)
    _, other = people.add_app_password(alice, name="New", by=alice)
    monkeypatch.setattr(authentication, "throttle", Throttle(clock=clock))
    for _ in range(USERNAME_LIMIT):
        authentication.authenticate_person(alice.address, "wrong", peer=PEER)

    with pytest.raises(TooManyAttemptsError):
        authentication.authenticate_person(alice.address, other, peer="198.51.100.1")


def test_few_networks_are_remembered(app_password, alice):
    row, secret = app_password
    for number in range(8):
        authentication.authenticate_person(
            alice.address, secret, peer=f"198.51.{number}.1"
        )

    row.refresh_from_db()
    assert row.known_networks == [f"198.51.{number}.0/24" for number in range(3, 8)]


def test_failing_in_many_names_shuts_the_peer(app_password, alice):
    _, secret = app_password
    for number in range(PEER_LIMIT):
        authentication.authenticate_person(
            f"x{number}@northfield.secure.example", "x", peer=PEER
        )

    with pytest.raises(TooManyAttemptsError):
        authentication.authenticate_person(alice.address, secret, peer=PEER)
    assert (
        authentication.authenticate_person(alice.address, secret, peer="192.0.2.2")
        == alice
    )


def test_signing_in_clears_the_name(app_password, alice):
    _, secret = app_password
    for _ in range(3 * USERNAME_LIMIT // 2):
        authentication.authenticate_person(alice.address, "wrong", peer=PEER)
        authentication.authenticate_person(alice.address, secret, peer=PEER)

    assert (
        authentication.authenticate_person(alice.address, secret, peer="192.0.2.2")
        == alice
    )
