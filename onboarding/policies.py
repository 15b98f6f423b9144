"""Whether an application's state allows something. Who may, permissions say."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from engine.registry.credentials import account_recovery
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from onboarding import claims_policy
from onboarding.models import (
    Application,
    Letter,
    Question,
    Signature,
    Sponsorship,
    SponsorshipStatus,
)
from onboarding.status import OPEN, TRANSITIONS, Status, StepState

P = ParamSpec("P")


def as_question(check: Callable[P, None]) -> Callable[P, bool]:
    """The same question as a bool."""

    def can(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            check(*args, **kwargs)
        except PolicyError:
            return False
        return True

    return can


def check_can_move(application: Application, status: Status) -> None:
    """Refuse what the table of transitions does not hold."""
    now = Status(application.status)
    if status not in TRANSITIONS[now]:
        raise PolicyError(
            f"This application is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def check_is_open(application: Application) -> None:
    if application.status not in OPEN:
        raise PolicyError("This application is not waiting for a decision.")


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise PolicyError("Give a reason.")


def check_can_fill_in(application: Application) -> None:
    if application.status != Status.DRAFT:
        raise PolicyError("This application has been sent in already.")


def check_can_ask(application: Application, *, text: str) -> None:
    check_is_open(application)
    if not text.strip():
        raise PolicyError("Enter the question.")


def check_can_answer(question: Question, *, text: str) -> None:
    check_is_open(question.application)
    if question.answered_at is not None:
        raise PolicyError("This question has been answered already.")
    if not text.strip():
        raise PolicyError("Enter your answer.")


def check_can_name_sponsor(application: Application) -> None:
    """Another sponsor may be named until one has confirmed."""
    check_is_open(application)
    if application.sponsorships.filter(status=SponsorshipStatus.CONFIRMED).exists():
        raise PolicyError("Your sponsor has confirmed already.")


def check_can_name_signatory(application: Application) -> None:
    """Somebody else may be named until the terms are signed."""
    check_is_open(application)
    if application.signatures.exclude(signed_at=None).exists():
        raise PolicyError("The terms have been signed already.")


def check_can_sponsor(sponsorship: Sponsorship) -> None:
    if sponsorship.status != SponsorshipStatus.ASKED:
        raise PolicyError("This has been answered already, or is no longer needed.")
    check_is_open(sponsorship.application)


def check_can_sign(signature: Signature) -> None:
    if signature.signed_at is not None:
        raise PolicyError("The terms have been signed already.")
    check_is_open(signature.application)
    if not signature.application.signatures.filter(pk=signature.pk).exists():
        raise PolicyError("Somebody else is asked to sign now.")


def check_can_check(application: Application) -> None:
    check_is_open(application)
    if application.checks.filter(state="running").exists():
        raise PolicyError("The checks are running already.")


def check_can_reject(application: Application, *, reason: str) -> None:
    check_can_move(application, Status.REJECTED)
    check_reason(reason)


def check_can_approve(
    application: Application, *, reason: str, community_domain: str, by: Person
) -> None:
    check_can_move(application, Status.APPROVED)
    check_reason(reason)
    check_is_another_officer(application, by=by)
    _check_is_vouched_for(application)
    claims_policy.check_community_domain(community_domain)
    claims_policy.check_domains_are_free(application, community_domain)
    claims_policy.check_connection_claims(application)


def check_is_another_officer(application: Application, *, by: Person) -> None:
    """Of two who must agree, the second is not the first."""
    if application.status == Status.RECOMMENDED and application.recommended_by == by:
        raise PolicyError("You recommended this: another officer must approve it.")


def check_can_reopen(application: Application, *, reason: str) -> None:
    """Only what is stuck comes back: nobody stops what is being set up."""
    if not application.steps.filter(state=StepState.FAILED).exists():
        raise PolicyError("Nothing has gone wrong in setting this up.")
    check_can_move(application, Status.SUBMITTED)
    check_reason(reason)


def check_can_retry(application: Application) -> None:
    """Refuse to run provisioning again where there is nothing left to run."""
    if application.status != Status.APPROVED:
        raise PolicyError("There is nothing left to set up.")


def check_can_set_first_password(person: Person) -> None:
    """Refuse where the person has signed in or chosen a password already."""
    if not person.is_active:
        raise PolicyError("This account is closed. Contact the helpdesk.")
    if person.has_usable_password():
        raise PolicyError("A password has already been set. Sign in with it.")


def check_can_print_first_letter(person: Person) -> None:
    """Refuse where there is something to lose already, or an address to send a link to."""
    check_can_set_first_password(person)
    if person.notice_address:
        raise PolicyError(
            f"{person.name} has an address where a link can be sent. Send the link."
        )
    if not account_recovery.is_unused(person):
        raise PolicyError(
            "The account is in use. Ask for an everyday address instead, so that the "
            "owner hears of it."
        )


def check_can_have_sign_in(organisation: Organisation | None) -> None:
    """Refuse a sign-in to people of a trusted domain, and where nobody may sign in."""
    if organisation is None:
        raise PolicyError("Only members of an organisation get a directory sign-in.")
    if organisation.is_trusted_domain:
        raise PolicyError(
            f"{organisation} is a trusted domain. Its people write from their own mail "
            "and have no sign-in to the directory."
        )
    if not organisation.is_active:
        raise PolicyError(f"{organisation} is not active.")


def check_can_download(letter: Letter, *, by_link: bool) -> None:
    if not letter.is_readable:
        raise PolicyError("This letter is not kept any more. Ask for a new one.")
    if by_link and letter.downloaded_at is not None:
        raise PolicyError("This link has been used. Sign in to see your letter.")


def check_can_reissue(organisation: Organisation) -> None:
    letters = organisation.letters.all()
    if not letters:
        raise PolicyError("This organisation has no welcome letter.")
    if letters[0].file_name is None:
        raise PolicyError("A new letter is being written already.")


def _check_is_vouched_for(application: Application) -> None:
    """Refuse while a sponsor or a signature is missing."""
    confirmed = application.sponsorships.filter(status=SponsorshipStatus.CONFIRMED)
    if application.needs_sponsor and not confirmed.exists():
        raise PolicyError("The sponsor has not confirmed. Wait, or ask for another.")
    if not application.signatures.exclude(signed_at=None).exists():
        raise PolicyError("The terms have not been signed.")


can_print_first_letter = as_question(check_can_print_first_letter)
is_another_officer = as_question(check_is_another_officer)
can_have_sign_in = as_question(check_can_have_sign_in)
can_name_signatory = as_question(check_can_name_signatory)
can_name_sponsor = as_question(check_can_name_sponsor)
can_reissue = as_question(check_can_reissue)
can_reopen = as_question(check_can_reopen)
can_retry = as_question(check_can_retry)
can_set_first_password = as_question(check_can_set_first_password)
can_sign = as_question(check_can_sign)
can_sponsor = as_question(check_can_sponsor)
