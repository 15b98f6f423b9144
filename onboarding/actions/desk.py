"""What officers do at the vetting desk: take, ask, look again, decide."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import policies, provisioning, tasks
from onboarding.actions.moving import locked, move, tell_officers
from onboarding.models import Application, NoticeKind, Question
from onboarding.notices.promise import promise
from onboarding.status import Status


@transaction.atomic
def assign(application: Application, *, to: Person | None, by: Person) -> None:
    """Say whose this application is: who is told of answers. Raises PolicyError."""
    application = locked(application)
    policies.check_is_open(application)
    application.assigned_to = to
    application.save(update_fields=["assigned_to"])
    detail = {"to": str(to) if to else ""}
    record("application.assigned", application, detail=detail, by=by)


@transaction.atomic
def ask(application: Application, *, text: str, by: Person) -> Question:
    """Ask the applicant something; the application waits. Raises PolicyError.

    The mail says only that there is a question. A recommendation made before it falls.
    """
    application = locked(application)
    policies.check_can_ask(application, text=text)
    _forget_recommendation(application)
    if application.status != Status.QUERIED:
        move(application, Status.QUERIED, by=by)
    question = Question.objects.create(
        application=application, text=text.strip(), asked_by=by
    )
    record("application.question_asked", application, by=by)
    promise(NoticeKind.QUESTION, to=application.everyday_address, about=application.pk)
    return question


@transaction.atomic
def check_again(application: Application, *, by: Person) -> None:
    """Look everything up once more. Raises PolicyError."""
    application = locked(application)
    policies.check_can_check(application)
    record("application.checked_again", application, by=by)
    tasks.start_checks(application)


@transaction.atomic
def approve(
    application: Application, *, reason: str, community_domain: str, by: Person
) -> Application:
    """Let the organisation in and start setting it up.

    Where two officers must agree, the first recommends and the second decides. Raises
    PolicyError with the sentence to show.
    """
    application = locked(application)
    policies.check_can_approve(
        application, reason=reason, community_domain=community_domain, by=by
    )
    application.community_domain = community_domain
    if application.needs_two_officers and application.status != Status.RECOMMENDED:
        return _recommend(application, reason=reason, by=by)
    _decide(application, Status.APPROVED, reason=reason, by=by)
    provisioning.plan(application)
    tasks.start_provisioning(application.pk)
    return application


@transaction.atomic
def reject(application: Application, *, reason: str, by: Person) -> Application:
    """Turn the organisation away and tell the applicant why.

    Raises PolicyError with the sentence to show.
    """
    application = locked(application)
    policies.check_can_reject(application, reason=reason)
    _decide(application, Status.REJECTED, reason=reason, by=by)
    promise(NoticeKind.REJECTED, to=application.everyday_address, about=application.pk)
    return application


@transaction.atomic
def reopen(application: Application, *, reason: str, by: Person) -> Application:
    """Bring back to the desk what was approved and cannot be set up as it is.

    What was set up so far stays, and is found there by the next run. Raises
    PolicyError.
    """
    application = locked(application)
    policies.check_can_reopen(application, reason=reason)
    application.steps.all().delete()
    application.decided_at = application.decided_by = None
    application.decision_reason = ""
    _forget_recommendation(application)
    detail = {"reason": reason.strip()}
    move(application, Status.SUBMITTED, detail=detail, by=by)
    return application


@transaction.atomic
def retry_provisioning(application: Application, *, by: Person) -> None:
    """Run the steps that are left. Raises PolicyError with the sentence to show."""
    policies.check_can_retry(application)
    record("application.provisioning_retried", application, by=by)
    provisioning.allow_again(application)
    tasks.start_provisioning(application.pk)


def _recommend(application: Application, *, reason: str, by: Person) -> Application:
    application.recommendation = reason.strip()
    application.recommended_at, application.recommended_by = timezone.now(), by
    detail = {"reason": application.recommendation}
    move(application, Status.RECOMMENDED, detail=detail, by=by)
    tell_officers(application, NoticeKind.TO_OFFICER)
    return application


def _forget_recommendation(application: Application) -> None:
    application.recommendation = ""
    application.recommended_at = application.recommended_by = None


def _decide(
    application: Application, status: Status, *, reason: str, by: Person
) -> None:
    application.decision_reason = reason.strip()
    application.decided_at, application.decided_by = timezone.now(), by
    detail = {"reason": application.decision_reason}
    move(application, status, detail=detail, by=by)
