"""The demo's council in Microsoft's cloud, and another tenant of the same cloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.registry.models import Provider
from portal.demo.certificates import Authority
from tests.fakes import FakeCloud, FakeTenant, send_message
from tests.journeys.visitor import Visits
from tests.peers import mpop
from tests.peers.postern import Postern
from tests.signing import Signer, rsa_key

pytestmark = pytest.mark.journey

LETTER = (
    b"From: Helen Shaw <helen@eastvale.example>\r\n"
    b"To: ben@northgate.secure.example\r\nSubject: From the cloud\r\n"
    b"Message-ID: <cloud-1@eastvale.example>\r\n\r\nGood morning\r\n"
)


@pytest.fixture
def council(postern: Postern) -> FakeTenant:
    """The council that demo.json lists as in the cloud."""
    [tenant] = [
        item["connection"]
        for item in postern.demo["organisations"]
        if item["account_type"] == "cloud_gateway"
    ]
    key = load_pem_private_key(Path(tenant["dkim_key_file"]).read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signer = Signer("eastvale.example", key, tenant["dkim_selector"])
    return FakeTenant(tenant["tenant_id"], signer)


def test_only_the_council_itself_writes_in_its_name(
    postern: Postern, council: FakeTenant
) -> None:
    microsoft = FakeCloud(Provider.MICROSOFT_365, Authority(postern.folder / "tls"))
    stranger = FakeTenant(
        "0f0e0d0c-0b0a-4f7b-9a35-000000000666", Signer("hostile.example", rsa_key())
    )
    ben = postern.person("member", address="ben@northgate.secure.example")

    def answer(message: bytes) -> str:
        return send_message(
            postern.ports["smtp"],
            message,
            sender="helen@eastvale.example",
            recipient=ben["address"],
            context=microsoft.context(),
        )[-1]

    refused = answer(microsoft.sign_and_name(LETTER, stranger))
    accepted = answer(microsoft.sign_and_name(LETTER, council))

    assert refused.startswith("550 5.7.1")
    assert accepted.startswith("250 2.0.0")
    messages = mpop.download(
        postern.ports["pop3s"],
        username=ben["address"],
        password=ben["app_password"],
        ca_file=postern.ca_file,
    )
    [got] = [raw for raw in messages if b"Subject: From the cloud" in raw]
    assert b"<helen@eastvale.example.secure.example>" in got
    assert b"dkim=pass header.d=eastvale.example" in got
    assert council.tenant_id.encode() not in got


def test_the_council_takes_a_script_with_its_own_values(
    visit: Visits, postern: Postern
) -> None:
    helen = visit(postern.person("administrator", organisation="Eastvale Council"))
    helen.open("/organisation/")
    helen.follow("Connection")
    helen.page.locator("main").get_by_role("link", name="Microsoft 365").click()
    with helen.page.expect_download() as download:
        helen.press("Download")
    script = Path(download.value.path()).read_text()

    assert "New-OutboundConnector" in script
    assert "Eastvale Council" in script
    assert "-WhatIf" in script
