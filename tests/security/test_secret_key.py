"""The secret key can be changed: what it protects works on, and is re-keyed."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django_q.signing import BadSignature, SignedPackage
from pytest_django.fixtures import Settings

from engine.jobs import package_signing
from engine.registry import webhooks as secrets_of_webhooks
from engine.registry.actions import webhooks
from engine.registry.addresses import domain_verification
from engine.registry.credentials import authentication, generated_secrets
from engine.registry.models import (
    ApiKey,
    AppPassword,
    Connection,
    ConnectionCredential,
    Domain,
    Organisation,
    Person,
    WebhookEvent,
)
from engine.registry.scopes import Scope
from engine.secrets import secret_keys
from onboarding import one_time_links, signed_links
from onboarding.models import LinkPurpose
from portal.account.adapter import ResetTokens
from portal.account.second_factor import sealed_secrets
from portal.helpdesk.models import Ticket
from portal.helpdesk.ticket_links import reply_address, ticket_of_address
from tests import factories
from tests.portal.conftest import SignIn, code_now, give_app
from tests.security.test_codes import is_in, sign_in_with

pytestmark = pytest.mark.django_db

OLD = "the-secret-key-of-last-year-9fK2mQ7xLw4nTz8vRb3cYp6s"
NEW = "the-secret-key-of-this-year-5hJ8dG1kVe7uXa2tNm9oWi4q"
Change = Callable[[], None]


@pytest.fixture(autouse=True)
def _old(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []


@pytest.fixture
def change(settings: Settings) -> Change:
    """Changes the key and keeps the previous one as a fallback."""

    def change_key() -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]

    return change_key


@pytest.fixture
def drop(settings: Settings) -> Change:
    """Removes the previous key, and with it whatever still depends on it."""

    def drop_key() -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, []

    return drop_key


def test_an_app_password_is_keyed_again_by_use(
    bob: Person, change: Change, drop: Change
) -> None:
    used, unused = generated_secrets.new_secret(), generated_secrets.new_secret()
    for secret in (used, unused):
        factories.make_app_password(bob, generated_secrets.digest(secret))
    change()

    assert authentication.authenticate_person(bob.address, used) == bob
    drop()

    assert authentication.authenticate_person(bob.address, used) == bob
    assert authentication.authenticate_person(bob.address, unused) is None
    names = AppPassword.objects.values_list("keyed_by", flat=True)
    assert sorted(names) == sorted([secret_keys.key_id(NEW), secret_keys.key_id(OLD)])


def test_a_connections_password_is_keyed_again_by_use(
    firm_connection: Connection, change: Change, drop: Change
) -> None:
    secret = generated_secrets.new_secret()
    digest = generated_secrets.digest(secret)
    factories.make_connection_credential(firm_connection, "firm", digest)
    change()

    assert authentication.authenticate_connection("firm", secret) == firm_connection
    drop()

    assert authentication.authenticate_connection("firm", secret) == firm_connection
    assert ConnectionCredential.objects.get().keyed_by == secret_keys.key_id(NEW)


def test_an_api_key_is_keyed_again_by_use(
    northfield: Organisation, change: Change, drop: Change
) -> None:
    secret = generated_secrets.new_secret()
    digest = generated_secrets.digest(secret)
    factories.make_api_key(northfield, digest, Scope.READ_ORGANISATIONS)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    change()

    assert client.get("/api/v1/organisations/").status_code == 200
    drop()

    assert client.get("/api/v1/organisations/").status_code == 200
    assert ApiKey.objects.get().keyed_by == secret_keys.key_id(NEW)


def test_an_authenticator_app_is_sealed_again_by_use(
    bob: Person, change: Change, drop: Change
) -> None:
    give_app(bob)
    change()

    assert is_in(sign_in_with(code_now(), bob))
    drop()

    assert sealed_secrets.is_current(Authenticator.objects.get(user=bob))


def test_recovery_codes_are_sealed_again_by_use(
    bob: Person, change: Change, drop: Change
) -> None:
    give_app(bob)
    codes = RecoveryCodes.activate(bob)
    first, second, *_ = codes.get_unused_codes()
    change()

    assert is_in(sign_in_with(first, bob))
    drop()

    assert not is_in(sign_in_with(first, bob))
    assert is_in(sign_in_with(second, bob))


def test_a_code_that_was_used_before_the_change_is_used(
    bob: Person, change: Change
) -> None:
    give_app(bob)
    code = code_now()
    assert is_in(sign_in_with(code, bob))
    change()

    assert not is_in(sign_in_with(code, bob))


def test_a_session_goes_on_and_is_signed_again(
    signed_in: SignIn, bob: Person, change: Change, drop: Change
) -> None:
    client = signed_in(bob)
    change()

    assert is_in(client)
    assert client.get(reverse("start")).status_code == 302
    drop()

    answer = client.get(reverse("start"))
    assert "login" not in answer["Location"]


def test_links_that_were_mailed_still_lead_where_they_did(
    bob: Person, change: Change, drop: Change
) -> None:
    first = signed_links.first_sign_in_token(bob)
    claim = signed_links.sign_in_claim_token("jane@firm.example")
    reset = ResetTokens().make_token(bob)
    once = one_time_links.create(LinkPurpose.RETURN, address="jane@firm.example")
    change()

    assert signed_links.first_sign_in(first).is_live
    assert signed_links.sign_in_claim(claim) == "jane@firm.example"
    assert ResetTokens().check_token(bob, reset)
    assert one_time_links.find(once, LinkPurpose.RETURN).address == "jane@firm.example"
    drop()

    with pytest.raises(signed_links.ForgedLinkError):
        signed_links.first_sign_in(first)
    with pytest.raises(signed_links.ForgedLinkError):
        one_time_links.find(once, LinkPurpose.RETURN)


def test_an_answer_to_the_helpdesk_still_finds_its_ticket(
    change: Change, drop: Change
) -> None:
    ticket = Ticket(pk=17)
    address = reply_address(ticket)
    change()

    assert ticket_of_address(address) == ticket.pk
    drop()

    assert ticket_of_address(address) is None


def test_a_domains_record_still_proves_it(
    northfield: Organisation, change: Change
) -> None:
    domain = Domain.objects.get(organisation=northfield)
    published = domain_verification.record_text(domain)
    change()

    assert published in domain_verification.accepted_texts(domain)
    assert published != domain_verification.record_text(domain)


def test_receivers_of_webhooks_keep_their_secret(
    northfield: Organisation, alice: Person, change: Change, drop: Change
) -> None:
    endpoint = webhooks.add(
        northfield,
        url="https://cases.example/hook",
        events=[WebhookEvent.MESSAGE_RECEIVED],
        by=alice,
    )
    secret = secrets_of_webhooks.secret(endpoint.sealed_secret)
    change()

    assert secrets_of_webhooks.secret(endpoint.sealed_secret) == secret
    drop()

    with pytest.raises(secret_keys.UnknownKeyError):
        secrets_of_webhooks.secret(endpoint.sealed_secret)


def test_a_job_that_waits_is_still_done(
    change: Change, drop: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_q.signing.Conf.SECRET_KEY", OLD)
    monkeypatch.setattr(SignedPackage, "loads", SignedPackage.loads)
    package = SignedPackage.dumps({"func": "engine.storage.tasks.let_go"})
    change()
    package_signing.accept_earlier_keys()

    assert SignedPackage.loads(package) == {"func": "engine.storage.tasks.let_go"}
    drop()

    with pytest.raises(BadSignature):
        SignedPackage.loads(package)


def rekey() -> str:
    out = StringIO()
    call_command("rekey", stdout=out)
    return out.getvalue()


def test_the_command_keys_what_it_can_and_names_the_rest(
    signed_in: SignIn,
    bob: Person,
    alice: Person,
    northfield: Organisation,
    firm_connection: Connection,
    change: Change,
    drop: Change,
) -> None:
    give_app(bob)
    endpoint = webhooks.add(
        northfield,
        url="https://cases.example/hook",
        events=[WebhookEvent.MESSAGE_RECEIVED],
        by=alice,
    )
    secret = generated_secrets.new_secret()
    digest = generated_secrets.digest(secret)
    factories.make_connection_credential(firm_connection, "firm", digest)
    client = signed_in(bob)
    change()

    said = rekey()

    assert "Second factors: 1, on an earlier key 0" in said
    assert "Secrets of webhooks: 1, on an earlier key 0" in said
    assert "Passwords of connections: 1, on an earlier key 1\n  firm\n" in said
    assert "Sessions: 1, on an earlier key 1" in said
    assert "Keep POSTERN_SECRET_KEY_FALLBACKS" in said

    authentication.authenticate_connection("firm", secret)
    client.get(reverse("start"))
    assert "can be emptied" in rekey()
    drop()

    assert sealed_secrets.is_current(Authenticator.objects.get(user=bob))
    endpoint.refresh_from_db()
    assert secrets_of_webhooks.secret(endpoint.sealed_secret).startswith("whsec_")
    assert authentication.authenticate_connection("firm", secret) == firm_connection


def test_what_no_key_opens_is_named(bob: Person, drop: Change) -> None:
    give_app(bob)
    drop()

    said = rekey()

    assert f"Second factors: 1, on an earlier key 1\n  {bob.address}" in said
