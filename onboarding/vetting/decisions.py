"""The vetting officers' actions: assign, ask, correct, check again, decide, retry."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from engine.registry.verbs import apply
from onboarding import tasks
from onboarding.models import Application, NoticeKind, Question
from onboarding.notices import outbox
from onboarding.provisioning import runner
from onboarding.status import Status
from onboarding.vetting import policies
from onboarding.vetting.transitions import change_status, lock, notify_officers


@transaction.atomic
def assign(application: Application, *, to: Person | None, by: Person) -> None:
    """Assigns the application to an officer, who then gets its notices; None unassigns.

    Raises PolicyError.
    """
    application = lock(application)
    policies.check_is_open(application)
    application.assigned_to = to
    application.save(update_fields=["assigned_to"])
    detail = {"to": str(to) if to else ""}
    record("application.assigned", application, detail=detail, by=by)


@transaction.atomic
def ask_question(application: Application, *, text: str, by: Person) -> Question:
    """Asks the applicant a question; the application waits for the answer.

    The email only announces the question, and its text is shown on the applicant's page.
    A recommendation made before the question lapses. Raises PolicyError.
    """
    application = lock(application)
    policies.check_can_ask(application, text=text)
    _clear_recommendation(application)
    if application.status != Status.QUERIED:
        change_status(application, Status.QUERIED, by=by)
    question = Question.objects.create(
        application=application, text=text.strip(), asked_by=by
    )
    record("application.question_asked", application, by=by)
    outbox.add(
        NoticeKind.QUESTION, to=application.everyday_address, about=application.pk
    )
    return question


@transaction.atomic
def check_again(application: Application, *, by: Person) -> None:
    """Runs all automatic checks again. Raises PolicyError."""
    application = lock(application)
    policies.check_can_check(application)
    record("application.checked_again", application, by=by)
    tasks.start_checks(application)


@transaction.atomic
def approve(
    application: Application, *, reason: str, community_domain: str, by: Person
) -> Application:
    """Approves the application and starts provisioning.

    For public bodies the first officer's approval is a recommendation, and a second
    officer's approval decides. Raises PolicyError with the sentence to show.
    """
    application = lock(application)
    policies.check_can_approve(
        application, reason=reason, community_domain=community_domain, by=by
    )
    application.community_domain = community_domain
    if application.needs_two_officers and application.status != Status.RECOMMENDED:
        return _recommend(application, reason=reason, by=by)
    _decide(application, Status.APPROVED, reason=reason, by=by)
    runner.plan(application)
    # Job rows are in the same database, so the job starts only if the approval commits.
    tasks.start_provisioning(application.pk)
    return application


@transaction.atomic
def reject(application: Application, *, reason: str, by: Person) -> Application:
    """Rejects the application and emails the reason to the applicant.

    Raises PolicyError with the sentence to show.
    """
    application = lock(application)
    policies.check_can_reject(application, reason=reason)
    _decide(application, Status.REJECTED, reason=reason, by=by)
    outbox.add(
        NoticeKind.REJECTED, to=application.everyday_address, about=application.pk
    )
    return application


@transaction.atomic
def reopen(application: Application, *, reason: str, by: Person) -> Application:
    """Returns an approved application that cannot be provisioned to vetting.

    Completed provisioning work stays: the next run finds it and continues from there.
    Raises PolicyError.
    """
    application = lock(application)
    policies.check_can_reopen(application, reason=reason)
    application.steps.all().delete()
    application.decided_at = application.decided_by = None
    application.decision_reason = ""
    _clear_recommendation(application)
    detail = {"reason": reason.strip()}
    change_status(application, Status.SUBMITTED, detail=detail, by=by)
    return application


@transaction.atomic
def retry_provisioning(application: Application, *, by: Person) -> None:
    """Starts the remaining provisioning steps, even those that failed too often.

    Raises PolicyError with the sentence to show.
    """
    policies.check_can_retry(application)
    record("application.provisioning_retried", application, by=by)
    runner.reset_attempts(application)
    tasks.start_provisioning(application.pk)


class Corrections(TypedDict, total=False):
    """The claims that staff may correct before a decision."""

    organisation_name: str
    town: str
    member_domain: str
    next_hop_host: str
    next_hop_port: int
    source_networks: list[str]
    certificate_name: str
    tenant_id: str


@transaction.atomic
def correct(
    application: Application,
    *,
    reason: str,
    by: Person,
    **changes: Unpack[Corrections],
) -> None:
    """Corrects claims as agreed with the applicant. Raises PolicyError.

    The audit entry holds the old and new values and the reason.
    """
    application = lock(application)
    policies.check_is_open(application)
    policies.check_reason(reason)
    changed = apply(application, changes)
    if changed:
        detail = {**changed, "reason": reason.strip()}
        record("application.corrected", application, detail=detail, by=by)


def _recommend(application: Application, *, reason: str, by: Person) -> Application:
    application.recommendation = reason.strip()
    application.recommended_at, application.recommended_by = timezone.now(), by
    detail = {"reason": application.recommendation}
    change_status(application, Status.RECOMMENDED, detail=detail, by=by)
    notify_officers(application, NoticeKind.TO_OFFICER)
    return application


def _clear_recommendation(application: Application) -> None:
    application.recommendation = ""
    application.recommended_at = application.recommended_by = None


def _decide(
    application: Application, status: Status, *, reason: str, by: Person
) -> None:
    application.decision_reason = reason.strip()
    application.decided_at, application.decided_by = timezone.now(), by
    detail = {"reason": application.decision_reason}
    change_status(application, status, detail=detail, by=by)
