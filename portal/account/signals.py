"""Signal handlers: what follows a sign-in, and a change of password or second factor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as METHODS
from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from engine.audit.record import record
from engine.registry.actions import sessions, shut_mail
from engine.registry.models import Person
from engine.registry.networks import network_of
from portal.account import actions
from portal.account.second_factor import policies
from portal.sessions import known_browsers, sign_in_attempts, store
from portal.sessions.user_agents import browser_of


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: Person, **kwargs: Any) -> None:
    """Remembers browser and network, and records the sign-in."""
    device = known_browsers.remember(request, user)
    store.begin(request, user)
    sign_in_attempts.record_sign_in(request, user, device)
    _audit("person.signed_in", user, **_source(request), second_factor=_factor(request))
    if user.first_signed_in_at is None:
        user.first_signed_in_at = timezone.now()
        never = Person.objects.filter(pk=user.pk, first_signed_in_at=None)
        never.update(first_signed_in_at=user.first_signed_in_at)


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest, user: Person | None, **kwargs: Any) -> None:
    """Records that a person signed out. A session that expires leaves no entry."""
    if user is not None:
        _audit("person.signed_out", user, **_source(request))


@receiver(user_logged_in)
def remind_of_second_factor(request: HttpRequest, user: Person, **kwargs: Any) -> None:
    """Reminds at each sign-in until the grace period ends; then the middleware insists."""
    due = policies.second_factor_reminder(user)
    if due is None or not hasattr(request, "_messages"):
        return
    by = date_format(due, "j F Y")
    messages.info(
        request,
        gettext(
            "Set up a second factor in “Account” by %(date)s. After that date you cannot "
            "use the service without one."
        )
        % {"date": by},
    )


@receiver(authenticator_added)
def trust_the_session_that_proved_it(
    request: HttpRequest, user: Person, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Counts setting one up as signing in with it: it took a code or the key itself."""
    if authenticator.type in policies.PROOFS:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=authenticator.type
        )
        # Sessions opened with the password alone end here, an intruder's included.
        actions.keep_only_this_session(request)


@receiver(authenticator_added)
def audit_added(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    """Records that a second factor was added."""
    _audit("person.second_factor_added", user, kind=authenticator.type)


@receiver(authenticator_removed)
def audit_removed(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    """Records that a second factor was removed."""
    _audit("person.second_factor_removed", user, kind=authenticator.type)


@receiver(authenticator_reset)
def audit_renewed(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    """Records that recovery codes were renewed."""
    _audit("person.recovery_codes_renewed", user)


@receiver(password_changed)
@transaction.atomic
def end_what_the_old_password_opened(
    request: HttpRequest, user: Person, **kwargs: Any
) -> None:
    """Ends other sessions. App passwords stay; the page offers to end them as well."""
    _audit("person.password_changed", user)
    actions.keep_only_this_session(request)


@receiver(password_reset)
@transaction.atomic
def end_everything_after_a_recovery(user: Person, **kwargs: Any) -> None:
    """Ends app passwords too: an intruder with the old password may have made one."""
    _audit("person.password_reset", user, app_passwords=sessions.revoke(user))


@receiver(password_reset)
def shut_the_mailbox_of_a_doubtful_recovery(user: Person, **kwargs: Any) -> None:
    """Locks the mailbox where the link could have reached another person.

    The link may have been sent up to PASSWORD_RESET_TIMEOUT ago.
    """
    lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    shut_mail.shut_after_recovery(user, sent_at=timezone.now() - lifetime)


@receiver(user_logged_in)
def start_the_mailbox_lock_period(user: Person, **kwargs: Any) -> None:
    """Starts the lock's period at the first sign-in after a doubtful recovery."""
    if user.mail_shut_at is not None:
        shut_mail.start_shut_period(user)


def _source(request: HttpRequest) -> dict[str, str]:
    """Returns where a request comes from, as precisely as the trail may know for good."""
    return {
        "network": network_of(request.META.get("REMOTE_ADDR", "")),
        "browser": browser_of(request.META.get("HTTP_USER_AGENT", "")),
    }


def _factor(request: HttpRequest) -> str:
    """Returns the kind of second factor that the sign-in showed; empty without one."""
    shown = [one for one in request.session.get(METHODS, []) if one["method"] == "mfa"]
    return str(shown[-1].get("type", "")) if shown else ""


def _audit(event: str, person: Person, **detail: object) -> None:
    record(
        event,
        person,
        organisation_key=person.organisation_id,
        detail=dict(detail),
        by=person,
    )
