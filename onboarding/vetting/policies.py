"""Whether an application's state allows an action. Permissions decide who may do it.

Each `check_…` raises PolicyError with the sentence to show; each `can_…` is the same
question as a bool.
"""

from __future__ import annotations

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding.models import (
    Application,
    Question,
    Signature,
    Sponsorship,
    SponsorshipStatus,
)
from onboarding.predicates import as_predicate
from onboarding.status import OPEN, TRANSITIONS, Status, StepState
from onboarding.vetting import claim_policies


def check_can_move(application: Application, status: Status) -> None:
    """Refuses a status that the table of transitions does not allow."""
    now = Status(application.status)
    if status not in TRANSITIONS[now]:
        raise PolicyError(
            f"This application is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def check_is_open(application: Application) -> None:
    """Refuses unless the application is submitted and undecided."""
    if application.status not in OPEN:
        raise PolicyError("This application is not waiting for a decision.")


def check_reason(reason: str) -> None:
    """Refuses a blank reason."""
    if not reason.strip():
        raise PolicyError("Enter a reason.")


def check_can_fill_in(application: Application) -> None:
    """Refuses to change the form of a submitted application."""
    if application.status != Status.DRAFT:
        raise PolicyError("This application has already been submitted.")


def check_can_ask(application: Application, *, text: str) -> None:
    """Refuses a question once decided, or a blank one."""
    check_is_open(application)
    if not text.strip():
        raise PolicyError("Enter the question.")


def check_can_answer(question: Question, *, text: str) -> None:
    """Refuses a second answer, a blank one, or one after the decision."""
    check_is_open(question.application)
    if question.answered_at is not None:
        raise PolicyError("This question has already been answered.")
    if not text.strip():
        raise PolicyError("Enter your answer.")


def check_can_name_sponsor(application: Application) -> None:
    """Refuses another sponsor once one has confirmed."""
    check_is_open(application)
    if application.sponsorships.filter(status=SponsorshipStatus.CONFIRMED).exists():
        raise PolicyError("Your sponsor has already confirmed.")


def check_can_name_signatory(application: Application) -> None:
    """Refuses another signatory once the terms are signed."""
    check_is_open(application)
    if application.signatures.exclude(signed_at=None).exists():
        raise PolicyError("The terms have already been signed.")


def check_can_sponsor(sponsorship: Sponsorship) -> None:
    """Refuses a sponsor's answer once given, replaced or no longer needed."""
    if sponsorship.status != SponsorshipStatus.ASKED:
        raise PolicyError("This has already been answered, or is no longer needed.")
    check_is_open(sponsorship.application)


def check_can_sign(signature: Signature) -> None:
    """Refuses a signature once given, or after another signatory was named."""
    if signature.signed_at is not None:
        raise PolicyError("The terms have already been signed.")
    check_is_open(signature.application)
    if not signature.application.signatures.filter(pk=signature.pk).exists():
        raise PolicyError("Another person has been asked to sign instead.")


def check_can_check(application: Application) -> None:
    """Refuses to run the automatic checks while they are running."""
    check_is_open(application)
    if application.checks.filter(state="running").exists():
        raise PolicyError("The checks are already running.")


def check_can_reject(application: Application, *, reason: str) -> None:
    """Refuses a rejection without a reason, or in the wrong state."""
    check_can_move(application, Status.REJECTED)
    check_reason(reason)


def check_can_approve(
    application: Application, *, reason: str, community_domain: str, by: Person
) -> None:
    """Refuses approval unless everything that provisioning relies on holds.

    That is: state, reason, a second officer, sponsor and signature, and claims that can
    become an organisation.
    """
    check_can_move(application, Status.APPROVED)
    check_reason(reason)
    check_is_another_officer(application, by=by)
    _check_is_vouched_for(application)
    claim_policies.check_community_domain(community_domain)
    claim_policies.check_domains_are_free(application, community_domain)
    claim_policies.check_connection_claims(application)


def check_is_another_officer(application: Application, *, by: Person) -> None:
    """Refuses the confirmation of an officer's own recommendation."""
    if application.status == Status.RECOMMENDED and application.recommended_by == by:
        raise PolicyError("You recommended this. Another officer must approve it.")


def check_can_reopen(application: Application, *, reason: str) -> None:
    """Refuses to reopen an application unless a provisioning step has failed.

    A running step must not have its application changed underneath it.
    """
    if not application.steps.filter(state=StepState.FAILED).exists():
        raise PolicyError(
            "Setting up this organisation has not failed, so it cannot "
            "be returned to vetting."
        )
    check_can_move(application, Status.SUBMITTED)
    check_reason(reason)


def check_can_retry(application: Application) -> None:
    """Refuses to retry provisioning unless something is left to provision."""
    if application.status != Status.APPROVED:
        raise PolicyError("Everything has been set up already.")


def _check_is_vouched_for(application: Application) -> None:
    """Refuses while the sponsor's confirmation or the signature is missing."""
    confirmed = application.sponsorships.filter(status=SponsorshipStatus.CONFIRMED)
    if application.needs_sponsor and not confirmed.exists():
        raise PolicyError(
            "The sponsor has not confirmed. Wait, or ask for another one."
        )
    if not application.signatures.exclude(signed_at=None).exists():
        raise PolicyError("The terms have not been signed.")


is_another_officer = as_predicate(check_is_another_officer)
can_name_signatory = as_predicate(check_can_name_signatory)
can_name_sponsor = as_predicate(check_can_name_sponsor)
can_reopen = as_predicate(check_can_reopen)
can_retry = as_predicate(check_can_retry)
can_sign = as_predicate(check_can_sign)
can_sponsor = as_predicate(check_can_sponsor)
