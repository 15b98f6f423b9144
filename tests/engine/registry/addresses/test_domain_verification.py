from __future__ import annotations

import pytest

from engine.registry.addresses import domain_verification
from engine.registry.models import Domain, Organisation
from portal.demo.dns_server import NameServer
from tests import factories


@pytest.fixture
def claim(firm: Organisation) -> Domain:
    return factories.make_domain(firm, "second.example", verified_at=None)


def test_the_record_at_its_name_proves_the_domain(
    claim: Domain, name_server: NameServer
) -> None:
    name_server.add_text("_postern.second.example", "v=spf1 -all")
    name_server.add_text(
        "_postern.second.example", domain_verification.record_text(claim)
    )

    assert domain_verification.look_up(claim).is_verified


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("_postern.second.example", '\\"{text}\\"', "quotation marks"),
        ("_postern.second.example", "postern-verify=0123", "another value"),
        ("_postern.second.example", "v=spf1 -all", "not ours"),
        ("_postern.second.example.second.example", "{text}", "Enter only _postern"),
        ("second.example", "{text}", "Move it to _postern.second.example"),
        ("elsewhere.example", "{text}", "No TXT record"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(
    claim: Domain, name_server: NameServer, name: str, text: str, advice: str
) -> None:
    said = text.format(text=domain_verification.record_text(claim))
    name_server.add_text(name, said)

    finding = domain_verification.look_up(claim)

    assert not finding.is_verified
    assert advice in finding.advice


def test_name_servers_out_of_order_prove_nothing(
    claim: Domain, name_server: NameServer
) -> None:
    name_server.failing.add("_postern.second.example")

    finding = domain_verification.look_up(claim)

    assert not finding.is_verified
    assert "do not answer" in finding.advice


def test_a_claim_of_another_organisation_has_another_record(
    claim: Domain, harbour: Organisation
) -> None:
    before = domain_verification.record_text(claim)
    claim.organisation = harbour

    assert domain_verification.record_text(claim) != before


def test_there_is_no_mail_in_a_domain_that_is_not_proved(
    claim: Domain, firm: Organisation
) -> None:
    verified = firm.domains.verified().values_list("member_domain", flat=True)

    assert list(verified) == ["firm.example"]
