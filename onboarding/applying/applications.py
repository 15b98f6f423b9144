"""The applicant's actions: begin, save a draft, submit, answer a question, withdraw.

An applicant has no account yet, so `by` is None. The link mailed to their address is
what authenticates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import one_time_links, rate_limits, tasks
from onboarding.applying.claims import Claims
from onboarding.models import Application, Link, LinkPurpose, NoticeKind, Question
from onboarding.notices import outbox
from onboarding.status import Status
from onboarding.vetting import policies, signatures, sponsors
from onboarding.vetting.signatures import TermsChoice
from onboarding.vetting.sponsors import NamedSponsor
from onboarding.vetting.transitions import change_status, lock, notify_officers


def request_link(address: str) -> None:
    """Emails a link to begin an application or to return to one.

    Does the same work for every address, known or not, and ignores requests over the
    rate limit without saying so: the response must not show who is a member.
    """
    try:
        rate_limits.count_link_to(address)
    except rate_limits.RateLimitError:
        return
    outbox.add(NoticeKind.APPLY, to=address)


def resend_link(link: Link) -> None:
    """Emails a new link to the address that an expired or used link was sent to."""
    kind = {LinkPurpose.SPONSOR: NoticeKind.SPONSOR, LinkPurpose.SIGN: NoticeKind.SIGN}
    if link.purpose not in kind:
        return request_link(link.address)
    try:
        rate_limits.count_link_to(link.address)
    except rate_limits.RateLimitError:
        return None
    return outbox.add(
        kind[LinkPurpose(link.purpose)], to=link.address, about=link.about
    )


@transaction.atomic
def open_link(token: str) -> Application:
    """Uses up a mailed link and returns the application that it begins or returns to.

    Raises ForgedLinkError or ExpiredLinkError.
    """
    link = one_time_links.use(token, LinkPurpose.START, LinkPurpose.RETURN)
    if link.application is not None:
        return link.application
    application = Application.objects.create(everyday_address=link.address)
    record("application.begun", application, by=None)
    # The MX check is done by the time the applicant reaches the account page, which
    # suggests an account type from it.
    tasks.start_checks(application)
    return application


def save_draft(application: Application, typed: Mapping[str, Any]) -> None:
    """Saves the raw form data of all pages so far, by page key. Raises PolicyError."""
    policies.check_can_fill_in(application)
    application.typed = dict(typed)
    application.save(update_fields=["typed", "changed_at"])


@transaction.atomic
def submit(
    application: Application,
    claims: Claims,
    *,
    sponsor: NamedSponsor | None,
    signing: TermsChoice,
    by: Person | None,
) -> Application:
    """Submits the application, and emails its sponsor, signatory and the officers.

    Says nothing about similar applications or members: an outsider must not learn who
    is a member. (That an address name is taken is reported on the page that asks for
    it.) Raises PolicyError.
    """
    application = lock(application)
    for name, value in asdict(claims).items():
        setattr(application, name, value)
    application.submitted_at = timezone.now()
    change_status(application, Status.SUBMITTED, by=by)
    if sponsor is not None:
        sponsors.ask(application, sponsor, by=by)
    signatures.collect(application, signing, by=by)
    outbox.add(
        NoticeKind.RECEIVED, to=application.everyday_address, about=application.pk
    )
    notify_officers(application, NoticeKind.TO_OFFICER)
    tasks.start_checks(application)
    return application


@transaction.atomic
def answer(question: Question, *, text: str, by: Person | None) -> None:
    """Answers an officer's question. Raises PolicyError with the sentence to show.

    The last answer returns the application from QUERIED to SUBMITTED.
    """
    application = lock(question.application)
    question = Question.objects.select_for_update().get(pk=question.pk)
    policies.check_can_answer(question, text=text)
    question.answer, question.answered_at = text.strip(), timezone.now()
    question.save(update_fields=["answer", "answered_at"])
    record("application.question_answered", application, by=by)
    is_last = not application.questions.filter(answered_at=None).exists()
    if is_last and application.status == Status.QUERIED:
        change_status(application, Status.SUBMITTED, by=by)
    notify_officers(application, NoticeKind.ANSWERED)


@transaction.atomic
def withdraw(application: Application, *, by: Person | None) -> None:
    """Withdraws the application at the applicant's request. Raises PolicyError."""
    change_status(lock(application), Status.WITHDRAWN, by=by)
