"""Adapters that change allauth's behaviour: attempts, suspension, notifications."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engine.registry import permissions
from engine.registry.credentials.sign_in_tally import SignInMethod, tally
from engine.registry.models import Person
from engine.secrets import secret_keys
from portal.account import tasks
from portal.account.address_lookup import address_key
from portal.account.second_factor import policies, sealed_secrets
from portal.sessions import sign_in_attempts

# The session key for the password hash that the first step of a sign-in proved.
PROVED = "postern.proved"
# Seconds after a sign-in in which no reauthentication is required.
FRESH_SECONDS = 300
WRONG_CODE = _(
    "This code is wrong or was used before. Enter the code that your app shows now, or "
    "wait for the next one."
)


class AccountAdapter(DefaultAccountAdapter):
    """Counts attempts, stops suspended people, and queues notifications."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "The address or the password is wrong. Check both and try again."
        ),
        "enter_current_password": _("This is not your current password"),
        "incorrect_code": WRONG_CODE,
        "incorrect_password": _("This is not your password"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Returns False: accounts are created by approved organisations only."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts the attempt. Raises TooManyAttemptsError, which the middleware answers."""
        source = sign_in_attempts.source_of(
            request, address_key(credentials["username"])
        )
        self._source = source
        self._attempt = sign_in_attempts.begin(source)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        """Returns the person with these credentials. Raises TooManyAttemptsError."""
        person: Person | None = super().authenticate(request, **credentials)
        if person is not None:
            sign_in_attempts.withdraw(self._attempt)
            return person
        tally.failed(self._source.address, SignInMethod.SITE, peer=self._source.peer)
        if sign_in_attempts.is_used_up(self._source):
            tasks.ask_to_tell_of_failures(self._source.address)
        return person

    def pre_login(
        self, request: HttpRequest, user: Person, **kwargs: Any
    ) -> HttpResponse | None:
        """Stops a person who is suspended, alone or with their organisation."""
        if permissions.may_sign_in(user):
            # Compared in `login`, because the code may follow the password minutes later.
            request.session[PROVED] = user.get_session_auth_hash()
            return None
        clear_login(request)
        return redirect("account_inactive")

    def login(self, request: HttpRequest, user: Person) -> None:
        """Signs in, unless what the first step proved no longer holds.

        Between password and code the person may have been suspended, signed out
        everywhere, or given a new password.
        """
        proved = request.session.pop(PROVED, "")
        person = Person.objects.select_related("organisation").get(pk=user.pk)
        if not permissions.may_sign_in(person):
            clear_login(request)
            raise ImmediateHttpResponse(redirect("account_inactive"))
        if not constant_time_compare(proved, person.get_session_auth_hash()):
            clear_login(request)
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Returns False within FRESH_SECONDS of the last authentication."""
        records = get_authentication_records(context.request, context.request.user)
        latest = max((record["at"] for record in records), default=0.0)
        return time.time() - latest > FRESH_SECONDS

    def get_reauthentication_methods(self, user: Person) -> list[dict[str, Any]]:
        """Returns the second factor alone, where one is set up: a password proves less."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        strong = [method for method in methods if method["id"] != "reauthenticate"]
        return strong or methods

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Person,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        tasks.tell_of_change(user, template_prefix.rpartition("/")[2])


class MFAAdapter(DefaultMFAAdapter):
    """Seals secrets with our keys, and keeps the last factor of those who need one."""

    error_messages = DefaultMFAAdapter.error_messages | {"incorrect_code": WRONG_CODE}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return policies.can_remove_authenticator(authenticator)

    def encrypt(self, text: str) -> str:
        return secret_keys.seal(sealed_secrets.PURPOSE, text)

    def decrypt(self, encrypted_text: str) -> str:
        return secret_keys.unseal(sealed_secrets.PURPOSE, encrypted_text)

    def generate_authenticator_name(
        self, user: AbstractBaseUser, type: Authenticator.Type
    ) -> str:
        others = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        if not others:
            return gettext("My passkey")
        return gettext("My passkey %(number)s") % {"number": others + 1}

    def _get_user_identifier(self, user: AbstractBaseUser) -> str:
        return str(user)

    def _get_site_name(self) -> str:
        return str(settings.POSTERN.community_name)


class ResetTokens(PasswordResetTokenGenerator):
    """Makes the tokens of password reset links.

    As Django's, they end with use and after PASSWORD_RESET_TIMEOUT. They also end with
    the person's sessions: a link that an intruder requested must not survive when the
    owner signs out everywhere.
    """

    def _make_hash_value(self, user: Person, timestamp: int) -> str:
        facts = super()._make_hash_value(user, timestamp)
        return f"{facts}{user.session_generation}"
