"""What this service wants of allauth otherwise than allauth would do by itself."""

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
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engine import keys
from engine.registry import permissions
from engine.registry.models import Person
from portal.account import tasks
from portal.account.address_lookup import address_key
from portal.account.second_factor import policies, sealed_secrets
from portal.sessions import sign_in_attempts

# Where a session keeps what its first step of signing in proved.
PROVED = "postern.proved"
# Within this time of signing in nobody is asked again who they are.
FRESH_SECONDS = 300
WRONG_CODE = _(
    "This code is not right, or was used already. Enter the one shown now, or wait for "
    "the next."
)


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "The address or the password is not right. Check both and try again."
        ),
        "enter_current_password": _("This is not your current password"),
        "incorrect_code": WRONG_CODE,
        "incorrect_password": _("This is not your password"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come in through an approved organisation, never by themselves."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises TooManyAttemptsError, which the middleware answers."""
        source = sign_in_attempts.source_of(
            request, address_key(credentials["username"])
        )
        self._source = source
        self._attempt = sign_in_attempts.begin(source)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        """The person whose address and password these are. Raises TooManyAttemptsError."""
        person: Person | None = super().authenticate(request, **credentials)
        if person is not None:
            sign_in_attempts.withdraw(self._attempt)
        elif sign_in_attempts.is_used_up(self._source):
            tasks.ask_to_tell_of_failures(self._source.address)
        return person

    def pre_login(
        self, request: HttpRequest, user: Person, **kwargs: Any
    ) -> HttpResponse | None:
        """Stop whoever is suspended, alone or with their organisation."""
        if permissions.may_sign_in(user):
            # Compared in `login`: a code may follow the password minutes later.
            request.session[PROVED] = user.get_session_auth_hash()
            return None
        clear_login(request)
        return redirect("account_inactive")

    def login(self, request: HttpRequest, user: Person) -> None:
        """Sign in, unless what was proved at the first step no longer holds.

        Between password and code the person may have been suspended, signed out
        everywhere or given another password.
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
        """Not again for those who signed in a moment ago."""
        records = get_authentication_records(context.request, context.request.user)
        latest = max((record["at"] for record in records), default=0.0)
        return time.time() - latest > FRESH_SECONDS

    def get_reauthentication_methods(self, user: Person) -> list[dict[str, Any]]:
        """By the second factor alone, where there is one: a password proves less."""
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
    error_messages = DefaultMFAAdapter.error_messages | {"incorrect_code": WRONG_CODE}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return policies.can_remove_authenticator(authenticator)

    def encrypt(self, text: str) -> str:
        return keys.seal(sealed_secrets.PURPOSE, text)

    def decrypt(self, encrypted_text: str) -> str:
        return keys.unseal(sealed_secrets.PURPOSE, encrypted_text)

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
