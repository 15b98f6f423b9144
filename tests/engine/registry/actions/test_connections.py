from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.registry.actions import connections
from engine.registry.errors import PolicyError
from engine.registry.models import Connection, Proof, Provider
from engine.routing import routes

pytestmark = pytest.mark.django_db


def test_add_a_connection_proved_by_credential(firm, olive):
    connection = connections.add(
        firm,
        proof=Proof.CREDENTIAL,
        next_hop_host="MX.Firm.example",
        next_hop_port=2525,
        by=olive,
    )

    connection.refresh_from_db()
    assert connection.tls_name == "mx.firm.example"
    facts = routes.current().connection(connection.pk)
    assert (facts.next_hop_host, facts.next_hop_port) == ("mx.firm.example", 2525)
    assert Entry.objects.get().event == "connection.added"


@pytest.mark.parametrize(
    "proof", [proof for proof in Proof if proof is not Proof.CREDENTIAL]
)
def test_add_a_credential_to_a_connection_that_proves_itself_otherwise(
    firm_connection, proof
):
    firm_connection.proof = proof
    firm_connection.save()

    with pytest.raises(PolicyError, match="does not sign in with"):
        connections.add_credential(firm_connection, by=None)

    assert not firm_connection.credentials.exists()


def test_add_a_connection_keeps_networks_in_one_form(firm):
    connection = connections.add(
        firm,
        proof=Proof.SOURCE,
        source_networks=[" 192.0.2.7", "2001:DB8::/48"],
        by=None,
    )

    assert connection.source_networks == ["192.0.2.7/32", "2001:db8::/48"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"proof": Proof.SOURCE}, "Enter the addresses"),
        ({"proof": Proof.SOURCE, "source_networks": ["192.0.2.7/24"]}, "not a network"),
        ({"proof": Proof.SOURCE, "source_networks": ["x"]}, "not a network"),
        ({"proof": Proof.SOURCE, "source_networks": ["10.0.0.0/8"]}, "too large"),
        ({"proof": Proof.SOURCE, "source_networks": ["::/0"]}, "too large"),
        ({"proof": Proof.CERTIFICATE}, "Enter the name"),
        ({"proof": Proof.CERTIFICATE, "certificate_name": "a b"}, "not a domain"),
        ({"proof": Proof.CLOUD}, "tenant id"),
        ({"proof": Proof.CREDENTIAL, "next_hop_host": "a b"}, "not a domain"),
        ({"proof": Proof.CREDENTIAL, "next_hop_port": 0}, "between 1 and 65535"),
        ({"proof": Proof.CREDENTIAL, "next_hop_port": 70000}, "between 1 and 65535"),
    ],
)
def test_add_a_connection_that_makes_no_sense(firm, fields, sentence):
    with pytest.raises(PolicyError, match=sentence):
        connections.add(firm, by=None, **fields)
    assert not Connection.objects.exists()


@pytest.mark.parametrize("network", ["192.0.2.0/25", "192.0.0.0/16", "192.0.2.0/24"])
def test_add_a_source_that_is_another_organisations(firm, northfield, network):
    connections.add(
        northfield, proof=Proof.SOURCE, source_networks=["192.0.2.0/24"], by=None
    )

    with pytest.raises(PolicyError, match="already used by Northfield Court"):
        connections.add(firm, proof=Proof.SOURCE, source_networks=[network], by=None)


def test_add_a_certificate_that_proves_somebody_already(firm, northfield):
    connections.add(
        northfield, proof=Proof.CERTIFICATE, certificate_name="mx.example", by=None
    )

    with pytest.raises(PolicyError, match="already identifies Northfield Court"):
        connections.add(
            firm, proof=Proof.CERTIFICATE, certificate_name="MX.example", by=None
        )


def test_edit_a_connection(firm_connection, olive):
    connections.edit(
        firm_connection, next_hop_port=26, subject_tag="[secure]", by=olive
    )

    entry = Entry.objects.get()
    assert entry.detail == {"next_hop_port": [25, 26], "subject_tag": ["", "[secure]"]}


def test_edit_a_connection_into_nonsense_changes_nothing(firm_connection, olive):
    with pytest.raises(PolicyError):
        connections.edit(firm_connection, proof=Proof.SOURCE, by=olive)

    firm_connection.refresh_from_db()
    assert firm_connection.proof == Proof.CREDENTIAL
    assert not Entry.objects.exists()


def test_suspend_and_resume_a_connection(firm_connection, olive):
    connections.suspend(firm_connection, reason="moved", by=olive)
    assert not routes.current().connection(firm_connection.pk).is_active

    connections.resume(firm_connection, by=olive)
    assert routes.current().connection(firm_connection.pk).is_active


def test_add_a_credential_named_after_the_domain(firm_connection, olive):
    row, secret = connections.add_credential(firm_connection, by=olive)

    assert row.username.startswith("firm.example-")
    entry = Entry.objects.get()
    assert entry.detail == {"username": row.username}
    assert secret not in str(vars(entry))


def test_revoke_a_credential_twice_is_recorded_once(firm_connection, olive):
    row, _ = connections.add_credential(firm_connection, by=olive)
    connections.revoke_credential(row, by=olive)
    connections.revoke_credential(row, by=olive)

    assert row.revoked_at is not None
    assert Entry.objects.filter(event="connection.credential_revoked").count() == 1


TENANT = "5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61"


def test_set_cloud_at_microsoft(firm, olive):
    connection = connections.add(firm, proof=Proof.CREDENTIAL, by=olive)

    connections.set_cloud(
        connection,
        provider=Provider.MICROSOFT_365,
        tenant_id=f" {TENANT.upper()} ",
        by=olive,
    )

    facts = routes.current().connection(connection.pk)
    assert (facts.proof, facts.provider) == (Proof.CLOUD, Provider.MICROSOFT_365)
    assert facts.tenant_id == TENANT
    assert facts.next_hop_host == "firm-example.mail.protection.outlook.com"


def test_set_cloud_at_google_makes_a_secret_and_keeps_it(firm_connection, olive):
    connections.set_cloud(firm_connection, provider=Provider.GOOGLE_WORKSPACE, by=olive)
    made = firm_connection.tenant_id
    connections.set_cloud(firm_connection, provider=Provider.GOOGLE_WORKSPACE, by=olive)

    assert len(made) == 32
    assert firm_connection.tenant_id == made
    assert firm_connection.next_hop_host == "127.0.0.1"
    assert made not in str([entry.detail for entry in Entry.objects.all()])


@pytest.mark.parametrize(
    ("provider", "tenant_id"),
    [
        (Provider.MICROSOFT_365, ""),
        (Provider.MICROSOFT_365, "firm.onmicrosoft.com"),
        (Provider.GOOGLE_WORKSPACE, "guessable"),
    ],
)
def test_set_cloud_with_a_tenant_id_that_is_none(firm_connection, provider, tenant_id):
    with pytest.raises(PolicyError):
        connections.set_cloud(
            firm_connection, provider=provider, tenant_id=tenant_id, by=None
        )
    firm_connection.refresh_from_db()
    assert firm_connection.proof == Proof.CREDENTIAL


def test_a_cloud_connection_without_a_provider_proves_nothing(firm):
    connections.add(firm, proof=Proof.CLOUD, tenant_id="t-1", by=None)

    known = routes.current()
    jane = Address.parse("jane@firm.example")
    assert known.cloud_connections(frozenset(Provider), jane) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"proof": Proof.CERTIFICATE, "certificate_name": "Mail.Protection.Outlook.com"},
        {"proof": Proof.CERTIFICATE, "certificate_name": "smtp.gmail.com"},
        {"proof": Proof.SOURCE, "source_networks": ["40.107.1.0/24"]},
        {"proof": Proof.SOURCE, "source_networks": ["2a00:1450:4000::/34"]},
    ],
)
def test_what_a_providers_customers_share_proves_none_of_them(firm, fields):
    with pytest.raises(PolicyError, match="All customers of"):
        connections.add(firm, by=None, **fields)
    assert not Connection.objects.exists()


def test_a_secret_tenant_id_is_in_no_record_of_what_was_added(firm, olive):
    secret = "5f" * 16
    connections.add(
        firm,
        proof=Proof.CLOUD,
        provider=Provider.GOOGLE_WORKSPACE,
        tenant_id=secret,
        next_hop_host="smtp.google.com",
        by=olive,
    )

    assert secret not in str([entry.detail for entry in Entry.objects.all()])
