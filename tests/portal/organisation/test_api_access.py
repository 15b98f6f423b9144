"""API keys and webhook endpoints on the organisation's pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from engine.registry.credentials import generated_secrets
from engine.registry.models import ApiKey, Organisation, Person, WebhookEndpoint
from tests.portal.conftest import SignIn


@pytest.fixture
def api(northfield: Organisation) -> str:
    return f"/organisation/{northfield.pk}/api/"


def test_key_is_made_shown_once_and_revoked(
    admin_client: Client, alice: Person, api: str
) -> None:
    client = admin_client
    form = {"name": "Cases", "scopes": ["people:read"], "lifetime": "90"}

    made = client.post(f"{api}keys/add/", form).content.decode()

    key = ApiKey.objects.get()
    secret = re.findall(r"<code[^>]*>([^<]+)</code>", made)[0]
    assert generated_secrets.digest(secret) == key.digest
    assert key.organisation == alice.organisation
    assert key.expires_at
    listed = client.get(api).content.decode()
    assert "Cases" in listed and secret not in listed
    revoke = f"{api}keys/{key.pk}/revoke/"
    assert "Revoke this key" in client.get(revoke).content.decode()
    client.post(revoke)
    key.refresh_from_db()
    assert key.revoked_at
    assert client.get(revoke).status_code == 404


def test_scope_of_the_community_is_not_offered(
    admin_client: Client, alice: Person, api: str
) -> None:
    form = {"name": "Cases", "scopes": ["queue:write"]}

    answer = admin_client.post(f"{api}keys/add/", form)

    assert b"Select a valid choice" in answer.content
    assert not ApiKey.objects.exists()


def test_address_is_added_rotated_and_removed(
    admin_client: Client, alice: Person, api: str
) -> None:
    client = admin_client
    form = {"url": "https://cases.example/hook", "events": ["message.failed"]}

    added = client.post(f"{api}webhooks/add/", form).content.decode()

    row = WebhookEndpoint.objects.get()
    rotated = client.post(f"{api}webhooks/{row.pk}/secret/").content.decode()
    first, second = (re.findall("whsec_[^<]+", page)[0] for page in (added, rotated))
    assert first != second
    assert "cases.example" in client.get(api).content.decode()
    client.post(f"{api}webhooks/{row.pk}/remove/")
    assert not WebhookEndpoint.objects.exists()


def test_address_in_our_own_network_is_explained(
    admin_client: Client, alice: Person, api: str
) -> None:
    form = {"url": "http://cases.example/", "events": ["message.failed"]}

    answer = admin_client.post(f"{api}webhooks/add/", form)

    assert b"must begin with https://" in answer.content


def test_only_own_administrators_make_keys(
    signed_in: SignIn, bob: Person, charlie: Person, olive: Person, api: str
) -> None:
    for stranger in (bob, charlie, olive):
        for page in ("", "keys/add/", "webhooks/add/"):
            visitor = signed_in(stranger, second_factor=True)
            assert visitor.get(f"{api}{page}").status_code == 403
    assert Client().get(api).status_code == 302


def test_neighbour_s_key_is_not_there(
    admin_client: Client, harbour: Organisation, api: str
) -> None:
    theirs = ApiKey.objects.create(
        organisation=harbour, name="x", client_id="x", digest="x"
    )

    assert admin_client.get(f"{api}keys/{theirs.pk}/revoke/").status_code == 404
