"""What applicants do: begin, fill in, send in, answer, withdraw.

An applicant is nobody yet: `by=None`, and the link to the confirmed address is what
lets them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import one_use, policies, tasks, throttle
from onboarding.actions import sponsors, terms
from onboarding.actions.moving import locked, move, tell_officers
from onboarding.claims import Claims
from onboarding.models import Application, Link, LinkPurpose, NoticeKind, Question
from onboarding.notices.promise import promise
from onboarding.sending import SponsorNamed, TermsChoice
from onboarding.status import Status


def ask_for_link(address: str) -> None:
    """Mail a link to begin or to return; the same job whatever we know of the address.

    Somebody who is asked too often is not mailed again for a while, and whoever asks
    cannot tell.
    """
    try:
        throttle.count_links_to(address)
    except throttle.TooOftenError:
        return
    promise(NoticeKind.APPLY, to=address)


def send_link_again(link: Link) -> None:
    """Mail another link to whoever had one that is over."""
    kind = {LinkPurpose.SPONSOR: NoticeKind.SPONSOR, LinkPurpose.SIGN: NoticeKind.SIGN}
    if link.purpose not in kind:
        return ask_for_link(link.address)
    try:
        throttle.count_links_to(link.address)
    except throttle.TooOftenError:
        return None
    return promise(kind[LinkPurpose(link.purpose)], to=link.address, about=link.about)


@transaction.atomic
def open_link(token: str) -> Application:
    """Use a mailed link: the application that it begins or returns to.

    Raises ForgedLinkError or ExpiredLinkError.
    """
    link = one_use.use(token, LinkPurpose.START, LinkPurpose.RETURN)
    if link.application is not None:
        return link.application
    application = Application.objects.create(everyday_address=link.address)
    record("application.begun", application, by=None)
    tasks.start_checks(application)
    return application


def keep(application: Application, typed: Mapping[str, Any]) -> None:
    """Remember what was typed on the pages so far. Raises PolicyError."""
    policies.check_can_fill_in(application)
    application.typed = dict(typed)
    application.save(update_fields=["typed", "changed_at"])


@transaction.atomic
def submit(
    application: Application,
    claims: Claims,
    *,
    sponsor: SponsorNamed | None,
    signing: TermsChoice,
    by: Person | None,
) -> Application:
    """Send the application in, and ask its sponsor and its signatory.

    Nothing is said about others like it: a stranger must not learn who is a member. That
    a name for addresses is taken, its own page says.
    Raises PolicyError.
    """
    application = locked(application)
    for name, value in asdict(claims).items():
        setattr(application, name, value)
    application.submitted_at = timezone.now()
    move(application, Status.SUBMITTED, by=by)
    if sponsor is not None:
        sponsors.ask(application, sponsor, by=by)
    terms.take(application, signing, by=by)
    promise(NoticeKind.RECEIVED, to=application.everyday_address, about=application.pk)
    tell_officers(application, NoticeKind.TO_OFFICER)
    tasks.start_checks(application)
    return application


@transaction.atomic
def answer(question: Question, *, text: str, by: Person | None) -> None:
    """Answer an officer's question. Raises PolicyError with the sentence to show."""
    application = locked(question.application)
    question = Question.objects.select_for_update().get(pk=question.pk)
    policies.check_can_answer(question, text=text)
    question.answer, question.answered_at = text.strip(), timezone.now()
    question.save(update_fields=["answer", "answered_at"])
    record("application.question_answered", application, by=by)
    is_last = not application.questions.filter(answered_at=None).exists()
    if is_last and application.status == Status.QUERIED:
        move(application, Status.SUBMITTED, by=by)
    tell_officers(application, NoticeKind.ANSWERED)


@transaction.atomic
def withdraw(application: Application, *, by: Person | None) -> None:
    """The applicant no longer wants to join. Raises PolicyError."""
    move(locked(application), Status.WITHDRAWN, by=by)
