"""Whether an application's state allows something. Who may, permissions say."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from django.conf import settings
from django.db.models import Q

from engine.mail.address import InvalidAddressError, normal_domain
from engine.registry.errors import PolicyError
from engine.registry.models import Domain, Person
from onboarding.models import Application
from onboarding.status import TRANSITIONS, Status

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


def check_can_reject(application: Application, *, reason: str) -> None:
    check_can_move(application, Status.REJECTED)
    _check_reason(reason)


def check_can_approve(
    application: Application, *, reason: str, community_domain: str
) -> None:
    check_can_move(application, Status.APPROVED)
    _check_reason(reason)
    check_community_domain(community_domain)
    check_domains_are_free(application, community_domain)


def check_domains_are_free(application: Application, community_domain: str) -> None:
    """Refuse domains that somebody else has, or is about to have."""
    wanted = {community_domain}
    if not application.is_hosted:
        wanted.add(application.member_domain)
    taken = Domain.objects.filter(
        Q(community_domain__in=wanted) | Q(member_domain__in=wanted)
    ).first()
    if taken:
        raise PolicyError(
            f"{taken.member_domain} already belongs to {taken.organisation}."
        )
    claimed = (
        Application.objects.unfinished()
        .exclude(pk=application.pk)
        .filter(Q(community_domain__in=wanted) | Q(member_domain__in=wanted))
        .first()
    )
    if claimed:
        raise PolicyError(
            f"Application {claimed.reference} is being set up with the same domain."
        )


def check_community_domain(domain: str) -> None:
    """Refuse what is not a domain strictly below the community's own."""
    suffix = settings.POSTERN.community_domain
    try:
        normal = normal_domain(domain)
    except InvalidAddressError:
        normal = ""
    if normal != domain or not domain.endswith(f".{suffix}"):
        raise PolicyError(
            f"The domain in the community must be a name ending in .{suffix}, "
            "in lower case."
        )


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


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise PolicyError("Give a reason for the decision.")


can_approve = as_question(check_can_approve)
can_move = as_question(check_can_move)
can_retry = as_question(check_can_retry)
can_set_first_password = as_question(check_can_set_first_password)
