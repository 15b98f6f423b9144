from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from engine.registry.models import AccountType, Organisation, Person, Proof
from onboarding.applying import task_list
from onboarding.applying.steps import BY_KEY
from onboarding.applying.wizard import UnansweredError, Wizard
from onboarding.models import Application, Audience, Terms
from onboarding.status import Status

pytestmark = pytest.mark.django_db

TENANT = "5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61"
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
        "provider": "microsoft_365",
        "tenant_id": TENANT,
    },
    "hosted": {"community_name": "Firm", "member_domain": ""},
    "applicant": {
        "applicant_name": "Jane Doe",
        "applicant_job_title": "Practice manager",
        "applicant_phone": "020 7946 0018",
    },
    "second": {
        "second_name": "Ravi Shah",
        "second_job_title": "Partner",
        "second_address": "ravi@firm.example",
    },
    "sponsor": {
        "sponsor_name": "Ruth Cole",
        "sponsor_organisation": "Fenland Police",
        "sponsor_address": "ruth@fenland.police.example",
    },
    "signer": {"signer": "me"},
    "signatory": {
        "signatory_name": "Mary Firm",
        "signatory_job_title": "Managing partner",
        "signatory_address": "mary@firm.example",
    },
}
SOLE = TYPED["organisation"] | {"kind": "barrister", "is_sole_user": "yes"}


def typed_terms(audience: Audience = Audience.ORGANISATION) -> dict[str, str]:
    return {"terms_id": str(Terms.objects.current(audience).pk), "agree": "on"}


def draft(**typed: dict[str, str]) -> Application:
    return Application(everyday_address="jane@firm.example", typed=typed)


def wizard_with(**over: dict[str, str]) -> Wizard:
    return Wizard(draft(**(TYPED | {"terms": typed_terms()} | over)))


def page_keys(wizard: Wizard) -> list[str]:
    return [page.step.key for page in wizard.pages()]


def statuses(wizard: Wizard) -> dict[str, str]:
    """Returns the title and status of each task in the list."""

    def label(status: dict[str, Any]) -> str:
        return status.get("text") or status["tag"]["text"]

    return {
        item["title"]["text"]: label(item["status"]) for item in task_list.items(wizard)
    }


def errors_of(key: str, name: str, typed: str) -> list[str]:
    form = BY_KEY[key].form(TYPED[key] | {name: typed}, application=draft())
    return form.errors.get(name, [])


def test_a_firm_with_a_server_is_asked_about_both() -> None:
    assert page_keys(wizard_with()) == [
        "organisation",
        "applicant",
        "second",
        "account",
        "server",
        "sponsor",
        "signer",
        "terms",
    ]


def test_a_sole_user_is_asked_for_nobody_else() -> None:
    wizard = wizard_with(
        organisation=SOLE,
        account={"account_type": "webmail"},
        terms=typed_terms(Audience.SOLE_USER),
    )

    assert page_keys(wizard) == [
        "organisation",
        "applicant",
        "account",
        "hosted",
        "sponsor",
        "terms",
    ]
    assert wizard.claims().is_sole_user
    assert not wizard.claims().second_address


def test_a_public_body_names_no_sponsor() -> None:
    wizard = wizard_with(organisation=TYPED["organisation"] | {"kind": "police"})

    assert "sponsor" not in page_keys(wizard)
    assert wizard.sponsor() is None


def test_another_signatory_is_asked_for_by_name() -> None:
    wizard = wizard_with(signer={"signer": "other"})

    assert page_keys(wizard)[-2:] == ["signer", "signatory"]
    choice = wizard.signing()
    assert (choice.signed_here, choice.address) == (False, "mary@firm.example")


def test_terms_of_another_kind_count_as_unread() -> None:
    wizard = wizard_with(organisation=SOLE)

    assert [step.key for step in wizard.unanswered()] == ["terms"]


def test_terms_that_changed_are_read_again() -> None:
    wizard = wizard_with()
    assert not wizard.unanswered()

    Terms.objects.create(audience=Audience.ORGANISATION, version=2, text="# New")

    assert [step.key for step in wizard.unanswered()] == ["terms"]


@pytest.mark.parametrize("proof", ["source", "certificate"])
def test_the_proof_is_asked_about_on_its_own_page(proof: str) -> None:
    wizard = wizard_with(server=TYPED["server"] | {"proof": proof})

    assert page_keys(wizard)[3:6] == ["account", "server", proof]


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

    assert (claims.proof, claims.tenant_id) == (Proof.CLOUD, TENANT)


def test_claims_are_refused_while_a_page_is_unanswered() -> None:
    wizard = wizard_with(applicant={"applicant_name": ""})

    with pytest.raises(UnansweredError) as refusal:
        wizard.claims()

    assert refusal.value.step.key == "applicant"


def test_tasks_start_in_any_order_except_what_hangs_on_the_organisation() -> None:
    assert statuses(Wizard(draft())) == {
        "Tell us about your organisation": "Incomplete",
        "Tell us about yourself": "Incomplete",
        "Name a second administrator": "Cannot start yet",
        "Choose how you will connect": "Incomplete",
        "Name your sponsor": "Cannot start yet",
        "Sign the terms": "Cannot start yet",
    }


def test_a_task_of_several_pages_is_in_progress_between_them() -> None:
    wizard = wizard_with(server={}, signer={})

    assert statuses(wizard)["Choose how you will connect"] == "In progress"
    assert statuses(wizard)["Sign the terms"] == "Incomplete"
    assert statuses(wizard)["Name your sponsor"] == "Completed"


def test_a_sole_user_has_fewer_tasks() -> None:
    assert "Name a second administrator" not in statuses(wizard_with(organisation=SOLE))


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
        ("source", "source_networks", "192.0.2.1/24", "like 192.0.2.0/24"),
        ("source", "source_networks", "192.0.2.1 " * 21, "no more than 20"),
        ("hosted", "community_name", "a.b", "letters, numbers"),
        ("hosted", "community_name", "-a", "letters, numbers"),
        ("hosted", "community_name", "Admin", "name of the service"),
        ("hosted", "community_name", "he1p-desk", "name of the service"),
        ("hosted", "community_name", "postern-support", "name of the service"),
        ("hosted", "community_name", "secure", "name of the service"),
        ("hosted", "community_name", "w\u0435bmail", "name of the service"),
        (
            "organisation",
            "organisation_name",
            "Postern Helpdesk",
            "mistaken for this service",
        ),
        (
            "applicant",
            "applicant_name",
            "P\u043estern Support",
            "mistaken for this service",
        ),
        ("second", "second_name", "Ravi\u200b Shah", "hidden characters"),
        ("second", "second_address", "jane", "like name@example.org"),
        ("second", "second_address", "a@secure.example", "you use now"),
        ("second", "second_address", "a@x.secure.example", "you use now"),
        ("second", "second_address", "Jane@firm.example", "another person"),
        ("sponsor", "sponsor_address", "jane@firm.example", "another person"),
        ("source", "source_networks", "0.0.0.0/0", "too large"),
        ("cloud", "tenant_id", "", "your tenant ID"),
        ("applicant", "applicant_name", "visit www.x.example", "web addresses"),
        ("applicant", "applicant_name", "Win at casino.com now", "web addresses"),
        ("sponsor", "sponsor_name", "write to x@y.example", "web addresses"),
        ("applicant", "applicant_phone", "call me", "telephone number"),
        ("applicant", "applicant_phone", "+-()", "telephone number"),
        ("applicant", "applicant_name", "see https://x.example", "web addresses"),
        ("organisation", "organisation_name", "A\nB", "special characters"),
        ("organisation", "kind", "operator", "what your organisation does"),
    ],
)
def test_a_page_refuses(key: str, name: str, typed: str, error: str) -> None:
    (message,) = errors_of(key, name, typed)

    assert error in message


@pytest.mark.parametrize(
    "typed", ["Northfield", "northfie1d", "n\u043erthfield", "northf\u0131eld", "firm"]
)
def test_a_name_that_is_or_looks_like_a_members_is_refused_on_its_page(
    northfield: Organisation, firm: Organisation, typed: str
) -> None:
    (message,) = errors_of("hosted", "community_name", typed)

    assert "in use, or looks like a name in use" in message
    assert northfield.name not in message and firm.name not in message


def test_a_name_of_an_application_that_is_being_set_up_is_refused(vera: Person) -> None:
    Application.objects.create(
        everyday_address="helen@eastvale.example",
        status=Status.APPROVED,
        community_domain="eastvale.secure.example",
        submitted_at=timezone.now(),
        decided_at=timezone.now(),
        decided_by=vera,
        decision_reason="Known to us",
    )

    assert "in use" in errors_of("hosted", "community_name", "eastvale")[0]


def test_an_organisation_may_keep_the_name_it_has(northfield: Organisation) -> None:
    application = draft()
    application.organisation = northfield
    form = BY_KEY["hosted"].form(
        TYPED["hosted"] | {"community_name": "northfield"}, application=application
    )

    assert form.is_valid()


@pytest.mark.parametrize(
    ("name", "typed", "clean"),
    [
        ("member_domain", "jane@Firm.Example", "firm.example"),
        ("member_domain", "bücher.example", "xn--bcher-kva.example"),
        ("next_hop_host", "MAIL.firm.example.", "mail.firm.example"),
    ],
)
def test_a_domain_is_cleaned(name: str, typed: str, clean: str) -> None:
    form = BY_KEY["server"].form(TYPED["server"] | {name: typed}, application=draft())

    assert form.is_valid()
    assert form.cleaned_data[name] == clean


def test_a_next_hop_inside_is_refused_in_production(settings: Any) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"env": "production"})

    (message,) = errors_of("server", "next_hop_host", "localhost")

    assert "whole host name" in message


@pytest.mark.parametrize(
    "name", ["St. John & Co.", "J.Smith", "Müller-Lüdenscheidt", "No. 5 Chambers"]
)
def test_a_name_with_a_full_stop_is_a_name(name: str) -> None:
    assert not errors_of("organisation", "organisation_name", name)
