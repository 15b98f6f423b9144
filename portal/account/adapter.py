"""What this service wants of allauth otherwise than allauth would do by itself."""

from __future__ import annotations

import base64
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.encoding import force_bytes
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engine.registry import permissions
from engine.registry.models import Person
from portal.account import policies, tasks

# Within this time of signing in nobody is asked again who they are.
FRESH_SECONDS = 300
WRONG_CODE = _("This code is not right. Enter the one shown now.")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "The address or the password is not right. Check both and try again."
        ),
        "enter_current_password": _("This is not your current password"),
        "incorrect_code": WRONG_CODE,
        "incorrect_password": _("This is not your password"),
        "too_many_login_attempts": _(
            "Too many attempts. Wait 15 minutes, then try again."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come in through an approved organisation, never by themselves."""
        return False

    def pre_login(
        self, request: HttpRequest, user: Person, **kwargs: Any
    ) -> HttpResponse | None:
        """Stop whoever is suspended, alone or with their organisation."""
        if permissions.may_sign_in(user):
            return None
        clear_login(request)
        return redirect("account_inactive")

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
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

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


def _cipher() -> MultiFernet:
    """For the secrets of second factors, which are never kept in the clear."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str | bytes) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"postern second factor")
    return base64.urlsafe_b64encode(derived.derive(force_bytes(secret)))
