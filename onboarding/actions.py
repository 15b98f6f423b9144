"""What may be done to an application: submit, approve, reject, set up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.actions import people
from engine.registry.models import Person
from onboarding import emails, letters, policies, provisioning, tasks
from onboarding.claims import Claims
from onboarding.models import Application, Letter
from onboarding.status import Status


@transaction.atomic
def submit(claims: Claims, *, by: Person | None) -> Application:
    """Take an application in.

    Nothing is said about others like it: a stranger must not learn who is a member.
    """
    application = Application.objects.create(**asdict(claims))
    record("application.submitted", application, by=by)
    _after_commit(lambda: emails.send_received(application))
    _after_commit(lambda: emails.send_to_vetting_officers(application))
    return application


@transaction.atomic
def approve(
    application: Application, *, reason: str, community_domain: str, by: Person
) -> Application:
    """Let the organisation in and start setting it up.

    Raises PolicyError with the sentence to show.
    """
    application = _locked(application)
    policies.check_can_approve(
        application, reason=reason, community_domain=community_domain
    )
    application.community_domain = community_domain
    _decide(application, Status.APPROVED, reason=reason, by=by)
    provisioning.plan(application)
    _after_commit(lambda: tasks.start_provisioning(application.pk))
    return application


@transaction.atomic
def reject(application: Application, *, reason: str, by: Person) -> Application:
    """Turn the organisation away and tell the applicant why.

    Raises PolicyError with the sentence to show.
    """
    application = _locked(application)
    policies.check_can_reject(application, reason=reason)
    _decide(application, Status.REJECTED, reason=reason, by=by)
    _after_commit(lambda: emails.send_rejected(application))
    return application


@transaction.atomic
def retry_provisioning(application: Application, *, by: Person) -> None:
    """Run the steps that are left. Raises PolicyError with the sentence to show."""
    policies.check_can_retry(application)
    record("application.provisioning_retried", application, by=by)
    _after_commit(lambda: tasks.start_provisioning(application.pk))


@transaction.atomic
def set_first_password(person: Person, password: str, *, by: Person) -> None:
    """The password with which an administrator starts; it ends the link to set it.

    Raises PolicyError with the sentence to show.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    policies.check_can_set_first_password(person)
    people.set_password(person, password=password, by=by)


@transaction.atomic
def send_first_sign_in_again(person: Person, *, by: Person | None) -> None:
    """Send an administrator who never signed in another link to do so.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_set_first_password(person)
    record(
        "person.first_sign_in_sent",
        person,
        organisation_key=person.organisation_id,
        by=by,
    )
    _after_commit(lambda: emails.send_first_sign_in(person))


def download_letter(letter: Letter, *, by: Person | None) -> bytes:
    """The letter as PDF, and a note of who took it; by=None took it by its link."""
    record("letter.downloaded", letter, organisation_key=letter.organisation_id, by=by)
    return letters.read(letter)


def _locked(application: Application) -> Application:
    """The row as it stands now, so that two officers cannot decide it twice."""
    return Application.objects.select_for_update().get(pk=application.pk)


def _decide(
    application: Application, status: Status, *, reason: str, by: Person
) -> None:
    application.status = status
    application.decision_reason = reason.strip()
    application.decided_at = timezone.now()
    application.decided_by = by
    application.save()
    record(
        f"application.{status}",
        application,
        detail={"reason": application.decision_reason},
        by=by,
    )


def _after_commit(send: Callable[[], object]) -> None:
    """Do it once the decision is kept.

    A notice that cannot be queued must not turn that into an error: Django logs it.
    Provisioning that could not be started is picked up by tasks.resume_provisioning.
    """
    transaction.on_commit(send, robust=True)
