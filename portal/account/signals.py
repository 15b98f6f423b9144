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
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from engine.audit.record import record
from engine.registry.actions import sessions, shut_mail
from engine.registry.models import Person
from portal.account import actions
from portal.account.second_factor import policies
from portal.sessions import known_browsers, sign_in_attempts, store


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: Person, **kwargs: Any) -> None:
    """Make browser and network known, and write down who has got in."""
    device = known_browsers.remember(request, user)
    store.begin(request, user)
    sign_in_attempts.note_sign_in(request, user, device)
    if user.first_signed_in_at is None:
        user.first_signed_in_at = timezone.now()
        never = Person.objects.filter(pk=user.pk, first_signed_in_at=None)
        never.update(first_signed_in_at=user.first_signed_in_at)


@receiver(user_logged_in)
def remind_of_second_factor(request: HttpRequest, user: Person, **kwargs: Any) -> None:
    """At each sign-in while there is still time; then the middleware asks for it."""
    due = policies.second_factor_reminder(user)
    if due is None or not hasattr(request, "_messages"):
        return
    by = date_format(timezone.localtime(due), "j F Y")
    messages.info(
        request,
        gettext(
            "Set up a second factor in “Account” by %(date)s. From then on you can go "
            "on only with one."
        )
        % {"date": by},
    )


@receiver(authenticator_added)
def trust_the_session_that_proved_it(
    request: HttpRequest, user: Person, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Setting one up takes a code, or the key itself: that is as good as signing in."""
    if authenticator.type in policies.PROOFS:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=authenticator.type
        )
        # Sessions that were opened with a password alone do not outlive this.
        actions.keep_only_this_session(request)


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
@transaction.atomic
def end_what_the_old_password_opened(
    request: HttpRequest, user: Person, **kwargs: Any
) -> None:
    """By choice: mail programs are kept, and the page offers to end them as well."""
    _audit("person.password_changed", user)
    actions.keep_only_this_session(request)


@receiver(password_reset)
@transaction.atomic
def end_everything_after_a_recovery(user: Person, **kwargs: Any) -> None:
    """A person who knew the old password may have made an app password too."""
    _audit("person.password_reset", user, app_passwords=sessions.revoke(user))


@receiver(password_reset)
def shut_the_mailbox_of_a_doubtful_recovery(user: Person, **kwargs: Any) -> None:
    """The link may have left as long ago as links last."""
    lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    shut_mail.shut_after_recovery(user, sent_at=timezone.now() - lifetime)


@receiver(user_logged_in)
def begin_the_time_that_a_mailbox_stays_shut(user: Person, **kwargs: Any) -> None:
    if user.mail_shut_at is not None:
        shut_mail.start_shut_period(user)


def _audit(event: str, person: Person, **detail: object) -> None:
    record(
        event,
        person,
        organisation_key=person.organisation_id,
        detail=dict(detail),
        by=person,
    )
