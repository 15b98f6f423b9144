from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from onboarding import actions, policies
from onboarding.models import Application
from onboarding.status import (
    STEP_TRANSITIONS,
    TRANSITIONS,
    Status,
    StepState,
)
from tests import factories


def test_every_status_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert set(STEP_TRANSITIONS) == set(StepState)


def test_final_statuses_lead_nowhere() -> None:
    assert {status for status in Status if status.is_final} == {
        Status.PROVISIONED,
        Status.REJECTED,
    }


def test_submitting_tells_the_applicant_and_the_officers(
    apply: Any, vera: Person, olive: Person, django_capture_on_commit_callbacks: Any
) -> None:
    vera.everyday_address = "vera@everyday.example"
    vera.save()
    silent = factories.make_person("w@secure.example")
    factories.make_staff(silent, RoleName.VETTING_OFFICER)

    with django_capture_on_commit_callbacks(execute=True):
        application = apply()

    to_applicant, to_officers = mail.outbox
    assert to_applicant.to == ["jane@firm.example"]
    assert application.reference in to_applicant.subject
    assert "/apply/progress/" in to_applicant.body
    assert to_officers.to == ["vera@everyday.example"]
    assert "Firm Solicitors" in to_officers.body


def test_an_officer_with_a_mailbox_is_told_there(
    apply: Any, alice: Person, django_capture_on_commit_callbacks: Any
) -> None:
    factories.make_staff(alice, RoleName.VETTING_OFFICER)

    with django_capture_on_commit_callbacks(execute=True):
        apply()

    assert mail.outbox[1].to == [alice.address]


@pytest.mark.django_db(transaction=True)
def test_an_application_is_kept_though_its_notice_is_refused(
    apply: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "engine.backend.QueueEmailBackend"

    apply(everyday_address="nobody@unknown.secure.example")

    assert Application.objects.count() == 1
    assert "5.1.1" in caplog.text


def test_a_duplicate_is_taken_in_like_any_other(apply: Any) -> None:
    first, second = apply(), apply()

    assert second.status == Status.SUBMITTED
    assert list(Application.objects.like(second)) == [first]


def test_approving_plans_the_steps_and_starts_a_job(
    apply: Any, approve: Any, vera: Person, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        application = approve(apply())

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
    application = actions.approve(
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
        actions.approve(apply(), reason="Yes.", community_domain=domain, by=vera)


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


def test_a_decision_needs_a_reason(apply: Any, vera: Person) -> None:
    with pytest.raises(PolicyError, match="reason"):
        actions.reject(apply(), reason="  ", by=vera)


def test_rejecting_tells_the_applicant_why(
    apply: Any, vera: Person, django_capture_on_commit_callbacks: Any
) -> None:
    application = apply()
    mail.outbox.clear()

    with django_capture_on_commit_callbacks(execute=True):
        application = actions.reject(application, reason="Not in justice.", by=vera)

    assert application.status == Status.REJECTED
    assert not application.steps.exists()
    assert "Not in justice." in mail.outbox[0].body


def test_an_application_is_decided_once(apply: Any, approve: Any, vera: Person) -> None:
    application = approve(apply())

    with pytest.raises(PolicyError, match="approved, being set up"):
        actions.reject(application, reason="Second thoughts.", by=vera)


def test_half_a_decision_is_refused_by_the_database(apply: Any, vera: Person) -> None:
    application = apply()

    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(decided_by=vera)
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(status=Status.APPROVED)


def test_retrying_starts_a_job_only_while_something_is_left(
    apply: Any, approve: Any, vera: Person, django_capture_on_commit_callbacks: Any
) -> None:
    waiting = apply()
    approved = approve(
        apply(member_domain="b.example", community_domain="b.secure.example")
    )

    with django_capture_on_commit_callbacks(execute=True):
        actions.retry_provisioning(approved, by=vera)

    assert OrmQ.objects.count() == 1
    assert not policies.can_retry(waiting)
    with pytest.raises(PolicyError, match="nothing left"):
        actions.retry_provisioning(waiting, by=vera)


def test_the_first_password_is_set_once(northfield: Any) -> None:
    person = factories.make_person(
        "dora@northfield.secure.example", northfield, password=None
    )

    actions.set_first_password(person, "three words together", by=person)

    person.refresh_from_db()
    assert person.check_password("three words together")
    with pytest.raises(PolicyError, match="already been set"):
        actions.set_first_password(person, "another password", by=person)
