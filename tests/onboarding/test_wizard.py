from __future__ import annotations

from typing import Any

import pytest

from engine.registry.models import AccountType, Proof
from onboarding.steps import BY_KEY
from onboarding.wizard import UnansweredError, Wizard

TYPED: dict[str, dict[str, str]] = {
    "organisation": {
        "organisation_name": "Firm Solicitors",
        "town": "Leeds",
        "kind": "law_firm",
        "is_sole_user": "no",
    },
    "account": {"account_type": "smtp"},
    "server": {
        "member_domain": "Firm.Example",
        "next_hop_host": "mail.firm.example",
        "next_hop_port": "25",
        "proof": "credential",
    },
    "source": {"source_networks": "192.0.2.1\n198.51.100.0/28"},
    "certificate": {"certificate_name": "mail.firm.example"},
    "cloud": {
        "member_domain": "firm.example",
        "next_hop_host": "firm-example.mail.example.net",
        "tenant_id": "0b5c-77",
    },
    "hosted": {"community_name": "Firm", "member_domain": ""},
    "applicant": {
        "applicant_name": "Jane Doe",
        "applicant_job_title": "Practice manager",
        "applicant_phone": "020 7946 0018",
        "everyday_address": "jane@firm.example",
    },
}


def wizard_with(**over: dict[str, str]) -> Wizard:
    session: Any = {}
    wizard = Wizard(session)
    for key, typed in (TYPED | over).items():
        wizard.keep(BY_KEY[key], typed)
    return Wizard(session)


def asked(wizard: Wizard) -> list[str]:
    return [page.step.key for page in wizard.pages()]


def errors_of(key: str, name: str, typed: str) -> list[str]:
    form = BY_KEY[key].form(TYPED[key] | {name: typed})
    return form.errors.get(name, [])


def test_a_server_is_asked_about_itself() -> None:
    assert asked(wizard_with()) == ["organisation", "account", "server", "applicant"]


@pytest.mark.parametrize("proof", ["source", "certificate"])
def test_the_proof_is_asked_about_on_its_own_page(proof: str) -> None:
    wizard = wizard_with(server=TYPED["server"] | {"proof": proof})

    assert asked(wizard) == ["organisation", "account", "server", proof, "applicant"]


def test_answers_that_no_longer_apply_are_left_out() -> None:
    claims = wizard_with(account={"account_type": "webmail"}).claims()

    assert claims.account_type == AccountType.WEBMAIL
    assert claims.community_domain == "firm.secure.example"
    assert (claims.next_hop_host, claims.proof) == ("", "")


def test_claims_of_a_server_are_clean() -> None:
    claims = wizard_with(server=TYPED["server"] | {"proof": "source"}).claims()

    assert claims.member_domain == "firm.example"
    assert claims.community_domain == "firm.example.secure.example"
    assert claims.source_networks == ["192.0.2.1/32", "198.51.100.0/28"]
    assert claims.is_sole_user is False


def test_a_cloud_gateway_proves_itself_by_its_tenant() -> None:
    claims = wizard_with(account={"account_type": "cloud_gateway"}).claims()

    assert (claims.proof, claims.tenant_id) == (Proof.CLOUD, "0b5c-77")


def test_claims_are_refused_while_a_page_is_unanswered() -> None:
    wizard = wizard_with(applicant={"applicant_name": ""})

    with pytest.raises(UnansweredError) as refusal:
        wizard.claims()

    assert refusal.value.step.key == "applicant"


def test_a_page_is_reached_only_through_those_before_it() -> None:
    wizard: Any = Wizard({})  # type: ignore[arg-type]

    assert wizard.is_asked(BY_KEY["organisation"])
    assert not wizard.is_asked(BY_KEY["applicant"])
    assert not wizard_with().is_asked(BY_KEY["hosted"])


@pytest.mark.parametrize(
    ("key", "name", "typed", "error"),
    [
        ("server", "member_domain", "secure.example", "own domain"),
        ("server", "member_domain", "firm.secure.example", "own domain"),
        ("server", "member_domain", "gmail.com", "shared by many"),
        ("server", "member_domain", "firm", "whole domain"),
        ("server", "member_domain", "fi rm.example", "like example.org"),
        ("server", "next_hop_host", "mail_firm..example", "host name"),
        ("server", "next_hop_port", "0", "between 1 and 65535"),
        ("server", "next_hop_port", "smtp", "as a number"),
        ("server", "proof", "cloud", "prove"),
        ("source", "source_networks", "192.0.2.1/24", "like 192.0.2.10"),
        ("source", "source_networks", "192.0.2.1 " * 21, "no more than 20"),
        ("hosted", "community_name", "a.b", "letters, numbers"),
        ("hosted", "community_name", "-a", "letters, numbers"),
        ("applicant", "everyday_address", "jane", "like name@example.org"),
        ("applicant", "everyday_address", "a@secure.example", "you use now"),
        ("applicant", "everyday_address", "a@x.secure.example", "you use now"),
        ("applicant", "applicant_phone", "call me", "telephone number"),
        ("applicant", "applicant_phone", "+-()", "telephone number"),
        ("applicant", "applicant_name", "see https://x.example", "web addresses"),
        ("organisation", "organisation_name", "A\nB", "special characters"),
        ("organisation", "kind", "operator", "what your organisation does"),
    ],
)
def test_a_page_refuses(key: str, name: str, typed: str, error: str) -> None:
    (said,) = errors_of(key, name, typed)

    assert error in said


@pytest.mark.parametrize(
    ("name", "typed", "clean"),
    [
        ("member_domain", "jane@Firm.Example", "firm.example"),
        ("member_domain", "bücher.example", "xn--bcher-kva.example"),
        ("next_hop_host", "MAIL.firm.example.", "mail.firm.example"),
    ],
)
def test_a_domain_is_cleaned(name: str, typed: str, clean: str) -> None:
    form = BY_KEY["server"].form(TYPED["server"] | {name: typed})

    assert form.is_valid()
    assert form.cleaned_data[name] == clean


def test_a_next_hop_inside_is_refused_in_production(settings: Any) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"env": "production"})

    (said,) = errors_of("server", "next_hop_host", "localhost")

    assert "whole host name" in said
