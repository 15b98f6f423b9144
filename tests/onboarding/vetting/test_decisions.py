from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Kind, Person, Proof, RoleName
from onboarding.applying import applications
from onboarding.models import Application, CheckState
from onboarding.status import Status, StepState
from onboarding.vetting import decisions, policies
from tests import factories


@pytest.fixture
def will(db: None) -> Person:
    """Another vetting officer."""
    person = factories.make_person("will@secure.example", name="Will")
    factories.make_staff(person, RoleName.VETTING_OFFICER)
    return person


def approved(application: Application, by: Person) -> Application:
    return decisions.approve(
        application,
        reason="Known.",
        community_domain=application.community_domain,
        by=by,
    )


def test_approving_plans_the_steps_and_starts_a_job(
    apply: Any, approve: Any, vera: Person
) -> None:
    application = apply()
    OrmQ.objects.all().delete()

    application = approve(application)

    assert application.status == Status.APPROVED
    assert application.decided_by == vera
    assert application.decided_at
    assert [step.key for step in application.steps.all()] == [
        "organisation",
        "domain",
        "connection",
        "administrator",
        "letter",
        "activation",
        "notice",
    ]
    assert OrmQ.objects.count() == 1
    assert Entry.objects.filter(event="application.approved").get().by_name == str(vera)


def test_a_hosted_organisation_needs_no_connection(apply: Any, approve: Any) -> None:
    application = approve(apply(account_type="webmail"))

    assert not application.steps.filter(key="connection").exists()


def test_approving_may_change_the_domain(apply: Any, vera: Person) -> None:
    application = decisions.approve(
        apply(), reason="Agreed.", community_domain="firm.secure.example", by=vera
    )

    assert application.community_domain == "firm.secure.example"


@pytest.mark.parametrize(
    "domain",
    ["firm.example", "secure.example", "FIRM.secure.example", "a b.secure.example", ""],
)
def test_approving_refuses_a_domain_outside_the_community(
    apply: Any, vera: Person, domain: str
) -> None:
    with pytest.raises(PolicyError, match=r"ending in \.secure\.example"):
        decisions.approve(apply(), reason="Yes.", community_domain=domain, by=vera)


def test_approving_refuses_a_domain_that_somebody_has(
    apply: Any, approve: Any, firm: Any
) -> None:
    with pytest.raises(PolicyError, match="already belongs to Firm Solicitors"):
        approve(apply())


def test_approving_refuses_a_domain_that_is_being_set_up(
    apply: Any, approve: Any
) -> None:
    first = approve(apply())

    with pytest.raises(PolicyError, match=first.reference):
        approve(apply())


@pytest.mark.parametrize("networks", [["0.0.0.0/0"], ["10.0.0.0/8"], []])
def test_approving_refuses_a_connection_that_would_prove_nothing(
    apply: Any, approve: Any, networks: list[str]
) -> None:
    with pytest.raises(PolicyError):
        approve(apply(proof=Proof.SOURCE, source_networks=networks))


def test_approving_refuses_the_source_addresses_of_a_member(
    apply: Any, approve: Any, harbour: Any
) -> None:
    factories.make_connection(
        harbour, proof=Proof.SOURCE, source_networks=["192.0.2.0/24"]
    )

    with pytest.raises(PolicyError, match="already used by Harbour"):
        approve(apply(proof=Proof.SOURCE, source_networks=["192.0.2.7/32"]))


def test_approving_waits_for_the_sponsor(submit_application: Any, approve: Any) -> None:
    with pytest.raises(PolicyError, match="sponsor has not confirmed"):
        approve(submit_application())


def test_approving_waits_for_the_signature(apply: Any, approve: Any) -> None:
    application = apply()
    application.signatures.update(signed_at=None)

    with pytest.raises(PolicyError, match="terms have not been signed"):
        approve(application)


def test_a_police_force_needs_no_sponsor_but_two_officers(
    apply: Any, vera: Person, will: Person, delivered_emails: Any
) -> None:
    application = apply(kind=Kind.POLICE, sponsor=None)

    first = approved(application, vera)
    assert first.status == Status.RECOMMENDED
    assert not first.steps.exists()
    with pytest.raises(PolicyError, match="Another officer"):
        approved(application, vera)

    second = approved(application, will)
    assert (second.status, second.decided_by) == (Status.APPROVED, will)
    assert second.recommended_by == vera


def test_a_question_ends_a_recommendation(
    apply: Any, vera: Person, will: Person
) -> None:
    application = approved(apply(kind=Kind.PRISON, sponsor=None), vera)

    question = decisions.ask_question(application, text="Which wing?", by=will)
    applications.answer(question, text="All.", by=None)

    application.refresh_from_db()
    assert application.status == Status.SUBMITTED
    assert application.recommended_by is None


def test_a_decision_needs_a_reason(apply: Any, vera: Person) -> None:
    with pytest.raises(PolicyError, match="reason"):
        decisions.reject(apply(), reason="  ", by=vera)


def test_rejecting_tells_the_applicant_why(
    apply: Any, vera: Person, delivered_emails: Any
) -> None:
    application = apply()
    delivered_emails().clear()

    application = decisions.reject(application, reason="Not in justice.", by=vera)

    assert application.status == Status.REJECTED
    assert not application.steps.exists()
    assert "Not in justice." in delivered_emails()[0].body


def test_an_application_is_decided_once(apply: Any, approve: Any, vera: Person) -> None:
    application = approve(apply())

    with pytest.raises(PolicyError, match="approved, being set up"):
        decisions.reject(application, reason="Second thoughts.", by=vera)


def test_half_a_decision_is_refused_by_the_database(apply: Any, vera: Person) -> None:
    application = apply()

    for half in (
        {"decided_by": vera},
        {"status": Status.APPROVED},
        {"recommended_by": vera},
        {"submitted_at": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Application.objects.filter(pk=application.pk).update(**half)


def test_a_question_is_mailed_without_its_words_and_answered_on_the_page(
    apply: Any, vera: Person, delivered_emails: Any
) -> None:
    vera.everyday_address = "vera@everyday.example"
    vera.save()
    application = apply()
    decisions.assign(application, to=vera, by=vera)
    delivered_emails().clear()

    question = decisions.ask_question(application, text="Who is Ravi?", by=vera)

    [mail] = delivered_emails()
    assert mail.to == ["jane@firm.example"]
    assert "Who is Ravi?" not in mail.body
    application.refresh_from_db()
    assert application.status == Status.QUERIED

    applications.answer(question, text="My partner.", by=None)

    application.refresh_from_db()
    assert application.status == Status.SUBMITTED
    assert delivered_emails()[-1].to == ["vera@everyday.example"]
    assert "My partner." not in delivered_emails()[-1].body
    with pytest.raises(PolicyError, match="already been answered"):
        applications.answer(question, text="Again.", by=None)


def test_all_questions_are_answered_before_it_goes_on(apply: Any, vera: Person) -> None:
    application = apply()
    first = decisions.ask_question(application, text="One?", by=vera)
    decisions.ask_question(application, text="Two?", by=vera)

    applications.answer(first, text="1", by=None)

    application.refresh_from_db()
    assert application.status == Status.QUERIED


def test_a_correction_is_written_down_with_what_was_before(
    apply: Any, vera: Person
) -> None:
    application = apply()

    decisions.correct(
        application, next_hop_host="mx.firm.example", reason="By telephone.", by=vera
    )

    application.refresh_from_db()
    assert application.next_hop_host == "mx.firm.example"
    detail = Entry.objects.get(event="application.corrected").detail
    assert detail["next_hop_host"] == ["mail.firm.example", "mx.firm.example"]
    assert detail["reason"] == "By telephone."


def test_what_cannot_be_set_up_comes_back_to_the_desk(
    apply: Any, approve: Any, vera: Person
) -> None:
    application = approve(apply())
    assert not policies.can_reopen(application, reason="Stuck.")
    application.steps.filter(key="connection").update(state=StepState.FAILED)

    reopened = decisions.reopen(application, reason="The address is taken.", by=vera)

    assert reopened.status == Status.SUBMITTED
    assert reopened.decided_by is None
    assert not reopened.steps.exists()
    decisions.correct(reopened, certificate_name="", reason="Agreed.", by=vera)
    assert approve(reopened).status == Status.APPROVED


def test_looking_again_runs_the_checks_once_more(apply: Any, vera: Person) -> None:
    application = apply()
    with pytest.raises(PolicyError, match="already running"):
        decisions.check_again(application, by=vera)
    application.checks.update(state=CheckState.DONE)

    decisions.check_again(application, by=vera)

    assert set(application.checks.values_list("state", flat=True)) == {"running"}


def test_retrying_starts_a_job_only_while_something_is_left(
    apply: Any, approve: Any, vera: Person
) -> None:
    waiting = apply()
    approved = approve(
        apply(member_domain="b.example", community_domain="b.secure.example")
    )
    OrmQ.objects.all().delete()

    decisions.retry_provisioning(approved, by=vera)

    assert OrmQ.objects.count() == 1
    assert not policies.can_retry(waiting)
    with pytest.raises(PolicyError, match="Everything has been set up"):
        decisions.retry_provisioning(waiting, by=vera)
