"""Delivery to an organisation in a cloud, whose servers all tenants share."""

from __future__ import annotations

import pytest

from engine.queue.models import RecipientStatus
from engine.registry.actions import connections
from engine.registry.models import AccountType, Provider
from tests import factories

pytestmark = pytest.mark.django_db

MX = "eastvale-example.mail.protection.outlook.com"
HELEN = "helen@eastvale.example.secure.example"
CLAIMING = (
    b"From: bob@northfield.secure.example\r\nX-OriginatorOrg: other.example\r\n"
    b"X-MS-Exchange-CrossTenant-Id: 5b1f2c9e\r\n"
    b"X-MS-Exchange-Organization-AuthAs: Internal\r\nSubject: Papers\r\n\r\nHello\r\n"
)


@pytest.fixture
def exchange_online(make_hop):
    """A partner connector that accepts only our certificate's name."""
    return make_hop(MX, required_client_name="mx.secure.example")


@pytest.fixture
def council_connection(exchange_online):
    council = factories.make_organisation(account_type=AccountType.CLOUD_GATEWAY)
    factories.make_domain(council, "eastvale.example")
    connection = factories.make_connection(
        council, next_hop_port=exchange_online.port, next_hop_tls_name=MX
    )
    connections.set_cloud(
        connection,
        provider=Provider.MICROSOFT_365,
        tenant_id="5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61",
        by=None,
    )
    return connection


@pytest.fixture
def our_name(authority, settings, monkeypatch):
    def show(name):
        ours = authority.issue(name)
        monkeypatch.setattr(settings.POSTERN, "tls_cert_file", str(ours.cert_file))
        monkeypatch.setattr(settings.POSTERN, "tls_key_file", str(ours.key_file))

    return show


def test_a_partner_connector_takes_our_certificate(
    queue, exchange_online, council_connection, bob, our_name
):
    our_name("mx.secure.example")
    reference = queue.send(bob.address, HELEN, raw=CLAIMING)

    queue.run()

    assert queue.status(reference) == RecipientStatus.RELAYED
    [got] = exchange_online.received
    assert got.recipients == ["helen@eastvale.example"]
    assert got.client_names == ["mx.secure.example"]


def test_no_claim_about_a_tenant_leaves_us(
    queue, exchange_online, council_connection, bob, our_name
):
    our_name("mx.secure.example")
    queue.send(bob.address, HELEN, raw=CLAIMING)

    queue.run()

    [got] = exchange_online.received
    assert got.data == (
        b"From: bob@northfield.secure.example\r\nSubject: Papers\r\n\r\nHello\r\n"
    )


def test_a_partner_connector_refuses_another_certificate(
    queue, exchange_online, council_connection, bob, our_name
):
    our_name("other.example")
    reference = queue.send(bob.address, HELEN)

    queue.run()

    recipient = queue.recipient(reference)
    assert recipient.status == RecipientStatus.FAILED
    assert "TenantInboundAttribution" in recipient.last_reply
