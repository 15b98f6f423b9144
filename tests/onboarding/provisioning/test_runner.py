from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule

from engine.audit.models import Entry
from engine.database import clock
from engine.registry.credentials import authentication
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AccountType,
    ConnectionCredential,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    Proof,
)
from onboarding import tasks
from onboarding.letters import letter_files, letter_writer, letters
from onboarding.models import Application, Letter, Notice, NoticeKind
from onboarding.provisioning import runner
from onboarding.provisioning.steps import STEPS, Step
from onboarding.status import Status, StepState
from onboarding.vetting import decisions
from tests.onboarding.conftest import HOSTED

pytestmark = pytest.mark.slow
KEYS = [step.key for step in STEPS]


class Crash(BaseException):
    """Stands for SIGKILL: no `except Exception` runs after it."""


def text_of(letter: Letter) -> str:
    path = django_settings.POSTERN.path("letters", letter.file_name)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True
    )
    return done.stdout.decode()


def secret_in(letter: Letter) -> str:
    line = next(line for line in text_of(letter).splitlines() if "Password" in line)
    return line.split()[-1]


def expire_leases(application: Application) -> None:
    long_ago = timezone.now() - runner.LEASE - timedelta(seconds=1)
    application.steps.update(started_at=long_ago)


def assert_set_up_once(application: Application) -> None:
    """Everything exists exactly once."""
    application.refresh_from_db()
    assert application.status == Status.PROVISIONED
    organisation = Organisation.objects.get()
    assert organisation.status == OrganisationStatus.ACTIVE
    assert [domain.community_domain for domain in organisation.domains.all()] == [
        "firm.example.secure.example"
    ]
    assert organisation.connections.count() == 1
    assert OrganisationRole.objects.filter(organisation=organisation).count() == 2
    assert ConnectionCredential.objects.filter(revoked_at=None).count() == 1
    letter = Letter.objects.get(organisation=organisation)
    username = ConnectionCredential.objects.get(revoked_at=None).username
    assert authentication.authenticate_connection(username, secret_in(letter))
    assert Entry.objects.filter(event="application.provisioned").count() == 1


def test_a_server_organisation_is_set_up(provisioned: Any) -> None:
    application = provisioned()

    assert_set_up_once(application)
    assert {step.state for step in application.steps.all()} == {StepState.DONE}
    person = application.administrator
    assert person.address == "jane@firm.example.secure.example"
    assert person.everyday_address == "jane@firm.example"
    assert not person.has_usable_password()
    connection = application.organisation.connections.get()
    assert (connection.proof, connection.next_hop_host) == (
        Proof.CREDENTIAL,
        "mail.firm.example",
    )


def test_a_hosted_organisation_is_set_up_with_a_mailbox(provisioned: Any) -> None:
    application = provisioned(**HOSTED)

    organisation = application.organisation
    domain = organisation.domains.get()
    assert (
        domain.member_domain == domain.community_domain == "northfield.secure.example"
    )
    assert not organisation.connections.exists()
    assert application.administrator.address == "jane@northfield.secure.example"
    assert application.administrator.mailbox.is_active


def test_a_cloud_organisation_is_bound_to_its_tenant(provisioned: Any) -> None:
    application = provisioned(
        account_type=AccountType.CLOUD_GATEWAY, proof=Proof.CLOUD, tenant_id="t-1"
    )

    connection = application.organisation.connections.get()
    assert (connection.proof, connection.tenant_id) == (Proof.CLOUD, "t-1")
    assert not connection.credentials.exists()
    assert "t-1" in text_of(application.letters.get())


def test_an_applicant_from_elsewhere_gets_an_address_of_the_name(apply: Any) -> None:
    application = apply(
        everyday_address="jd@elsewhere.example", applicant_name="Zoë O'Hara-Smith"
    )

    assert (
        str(application.administrator_address)
        == "zoe.ohara.smith@firm.example.secure.example"
    )


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_step_that_fails_once_is_done_by_the_next_run(
    apply: Any, approve: Any, key: str, moment: str
) -> None:
    application = approve(apply())
    failing = [
        failing_once(step, moment, OSError) if step.key == key else step
        for step in STEPS
    ]

    with pytest.raises(OSError, match="no luck"):
        runner.run(application.pk, failing)

    row = application.steps.get(key=key)
    assert (row.state, row.attempts) == (StepState.FAILED, 1)
    assert row.problem == "OSError: no luck"
    runner.run(application.pk)
    assert_set_up_once(application)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_in_any_step_is_mended_by_the_next_run(
    apply: Any, approve: Any, key: str, moment: str
) -> None:
    application = approve(apply())
    crashing = [
        failing_once(step, moment, Crash) if step.key == key else step for step in STEPS
    ]
    with pytest.raises(Crash):
        runner.run(application.pk, crashing)

    expire_leases(application)
    runner.run(application.pk)

    assert_set_up_once(application)


def test_a_step_that_somebody_holds_is_left_alone(apply: Any, approve: Any) -> None:
    application = approve(apply())
    application.steps.filter(key="organisation").update(
        state=StepState.RUNNING, started_at=timezone.now()
    )

    runner.run(application.pk)

    assert not Organisation.objects.exists()


def test_running_again_changes_nothing(provisioned: Any) -> None:
    application = provisioned()

    runner.run(application.pk)

    assert_set_up_once(application)


def test_an_undecided_application_is_never_set_up(apply: Any) -> None:
    application = apply()

    runner.run(application.pk)

    assert not Organisation.objects.exists()


def test_a_letter_whose_attempt_died_leaves_no_live_credential(
    apply: Any, approve: Any
) -> None:
    application = approve(apply())
    crashing = [
        replace(step, run=render_and_die) if step.key == "letter" else step
        for step in STEPS
    ]
    with pytest.raises(Crash):
        runner.run(application.pk, crashing)

    expire_leases(application)
    runner.run(application.pk)

    first, second = ConnectionCredential.objects.order_by("id")
    assert first.revoked_at
    assert second.revoked_at is None


def test_an_address_that_somebody_took_shows_as_a_problem(
    apply: Any, approve: Any, northfield: Any
) -> None:
    application = approve(
        apply(
            **HOSTED
            | {"community_domain": "north.secure.example", "source_networks": []}
        )
    )
    northfield.domains.update(
        member_domain="north.secure.example", community_domain="north.secure.example"
    )

    with pytest.raises(PolicyError):
        runner.run(application.pk)

    assert "already" in application.steps.get(key="domain").problem


def test_stalled_applications_are_started_again(apply: Any, approve: Any) -> None:
    stalled = approve(apply())
    running = approve(
        apply(member_domain="b.example", community_domain="b.secure.example")
    )
    running.steps.filter(key="organisation").update(
        state=StepState.RUNNING, started_at=timezone.now()
    )

    OrmQ.objects.all().delete()

    assert tasks.resume_provisioning() == 1

    assert OrmQ.objects.get().task["args"] == (stalled.pk,)


def test_what_is_tried_again_by_its_own_job_is_started_by_no_other(
    apply: Any, approve: Any
) -> None:
    approve(apply())
    OrmQ.objects.all().delete()

    assert [tasks.resume_provisioning() for _ in range(3)] == [1, 0, 0]

    assert OrmQ.objects.count() == 1


def test_an_application_that_failed_often_waits_for_an_officer(
    apply: Any, approve: Any, vera: Person
) -> None:
    application = approve(apply())
    application.steps.filter(key="domain").update(
        state=StepState.FAILED, attempts=runner.MAX_ATTEMPTS
    )

    assert tasks.resume_provisioning() == 0
    tasks.provision(application.pk)
    assert application.steps.get(key="domain").state == StepState.FAILED

    decisions.retry_provisioning(application, by=vera)
    tasks.provision(application.pk)
    application.refresh_from_db()
    assert application.status == Status.PROVISIONED


def test_a_step_that_goes_on_failing_is_tried_ten_times_by_its_job(
    apply: Any, approve: Any
) -> None:
    tried = []

    def fail(application: Application) -> None:
        tried.append(application.pk)
        raise RuntimeError

    application = approve(apply())
    failing = [replace(step, run=fail) for step in runner.STEPS]
    for _ in range(34):
        with suppress(RuntimeError):
            runner.run(application.pk, failing)

    assert len(tried) == runner.MAX_ATTEMPTS


def test_the_clock_starts_stalled_applications_again(db: None) -> None:
    tasks.schedule_jobs()
    tasks.schedule_jobs()

    scheduled = Schedule.objects.get(name="onboarding.resume_provisioning")
    assert import_string(scheduled.func) is tasks.resume_provisioning


def test_the_job_sets_the_organisation_up(apply: Any, approve: Any) -> None:
    application = approve(apply())

    tasks.provision(application.pk)

    assert_set_up_once(application)


def test_the_welcome_notice_leads_to_sign_in_and_letter(
    provisioned: Any, delivered_emails: Any
) -> None:
    provisioned()

    to_applicant, to_second = delivered_emails()[-2:]
    assert to_applicant.to == ["jane@firm.example"]
    assert "/apply/first-sign-in/" in to_applicant.body
    assert re.search(r"/apply/letter/\S{20}", to_applicant.body)
    assert "jane@firm.example.secure.example" in to_applicant.body
    assert secret_in(Letter.objects.get()) not in to_applicant.body
    assert to_second.to == ["ravi@firm.example"]
    assert "/apply/first-sign-in/" in to_second.body
    assert not re.search(r"/apply/letter/\S", to_second.body)


def test_a_letter_without_a_secret_is_not_mailed_as_a_link(
    provisioned: Any, delivered_emails: Any
) -> None:
    provisioned(**HOSTED)

    assert not re.search(r"/apply/letter/\S", delivered_emails()[-2].body)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_notice_is_promised_once_however_often_its_step_runs(
    apply: Any, approve: Any, moment: str
) -> None:
    application = approve(apply())
    failing = [
        failing_once(step, moment, OSError) if step.key == "notice" else step
        for step in STEPS
    ]
    with pytest.raises(OSError, match="no luck"):
        runner.run(application.pk, failing)

    runner.run(application.pk)

    assert Notice.objects.filter(kind=NoticeKind.WELCOME).count() == 2


def test_the_letter_is_readable_by_its_owner_only(provisioned: Any) -> None:
    letter = provisioned().letters.get()
    path = Path(django_settings.POSTERN.path("letters", letter.file_name))

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def failing_once(step: Step, moment: str, error: type[BaseException]) -> Step:
    def run(application: Application) -> None:
        if moment == "after":
            step.run(application)
        raise error("no luck")

    return replace(step, run=run)


def render_and_die(application: Application) -> None:
    letter = Letter.objects.create(
        application=application, organisation=application.organisation
    )
    connection = application.organisation.connections.get()
    username, secret = letter_writer.issue_credential(letter, connection)
    letter_files.save(
        letters.render_welcome(
            application, connection=connection, username=username, secret=secret
        ),
        organisation_id=letter.organisation_id,
    )
    raise Crash


def test_host_whose_clock_is_ahead_takes_no_step_over(provisioned: Any) -> None:
    application = provisioned()
    application.status = Status.APPROVED
    application.save()
    row = application.steps.first()
    application.steps.filter(pk=row.pk).update(
        state=StepState.RUNNING, started_at=clock.now()
    )

    with time_machine.travel(timezone.now() + 2 * runner.LEASE):
        assert not runner.is_stalled(application)
        runner.run(application.pk)

    row.refresh_from_db()
    assert row.state == StepState.RUNNING


def test_host_whose_clock_is_ahead_finds_no_letter_left_unwritten(
    provisioned: Any,
) -> None:
    Letter.objects.filter(application=provisioned()).update(file_name=None)

    with time_machine.travel(timezone.now() + 2 * runner.LEASE):
        assert letter_writer.find_unwritten() == []
