"""What follows when somebody changes their own way of signing in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from engine.audit.record import record
from engine.registry.actions import shut_mail
from engine.registry.models import Person
from portal.account import policies


@receiver(authenticator_added)
def trust_the_session_that_proved_it(
    request: HttpRequest, user: Person, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Setting one up takes a code, or the key itself: that is as good as signing in."""
    if authenticator.type in policies.PROOFS:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=authenticator.type
        )


@receiver(authenticator_added)
def audit_added(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    _audit("person.second_factor_added", user, kind=authenticator.type)


@receiver(authenticator_removed)
def audit_removed(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    _audit("person.second_factor_removed", user, kind=authenticator.type)


@receiver(authenticator_reset)
def audit_renewed(user: Person, authenticator: Authenticator, **kwargs: Any) -> None:
    _audit("person.recovery_codes_renewed", user)


@receiver(password_changed)
def audit_password_changed(user: Person, **kwargs: Any) -> None:
    _audit("person.password_changed", user)


@receiver(password_reset)
def audit_password_reset(user: Person, **kwargs: Any) -> None:
    _audit("person.password_reset", user)


@receiver(password_reset)
def shut_the_mailbox_of_a_doubtful_recovery(user: Person, **kwargs: Any) -> None:
    """The link may have left as long ago as links last."""
    lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    shut_mail.note_recovery(user, sent_at=timezone.now() - lifetime)


@receiver(user_logged_in)
def begin_the_time_that_a_mailbox_stays_shut(user: Person, **kwargs: Any) -> None:
    if user.mail_shut_at is not None:
        shut_mail.note_sign_in(user)


def _audit(event: str, person: Person, **detail: str) -> None:
    record(
        event,
        person,
        organisation_key=person.organisation_id,
        detail=dict(detail),
        by=person,
    )
