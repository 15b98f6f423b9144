"""Account mail to a person's everyday address. It never quotes stored messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urljoin

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext

from engine.email_backend import notice
from engine.registry.models import Person

NOTICES = {
    "password_changed": "Your password was changed.",
    "password_reset": "Your password was reset.",
    "totp_activated": "An authenticator app was added to your account.",
    "totp_deactivated": "The authenticator app was removed from your account.",
    "webauthn_added": "A passkey was added to your account.",
    "webauthn_removed": "A passkey was removed from your account.",
    "recovery_codes_generated": "New recovery codes were made for your account.",
    "app_password_added": "An app password for a mail program was made.",
}


def send_notice(person: Person, kind: str, *, at: datetime) -> None:
    """Notifies a person of a change to how they sign in. `kind` is a key of NOTICES."""
    context = {"change": NOTICES[kind], "at": at}
    _send(person, gettext("A change to your account"), "notice", context)


def send_password_reset(person: Person) -> None:
    """Sends the link to choose a new password."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(person), "key": token},
    )
    # Never from the request's Host header, which the requester can choose.
    context = {"link": urljoin(settings.POSTERN.site_url, path)}
    _send(person, gettext("Choose a new password"), "password_reset", context)


def _send(
    person: Person, subject: str, template: str, context: Mapping[str, object]
) -> None:
    if not person.notice_address:
        return
    body = render_to_string(
        f"account/email/{template}.txt",
        {
            **context,
            "person": person,
            "community_name": settings.POSTERN.community_name,
            "helpdesk_phone": settings.POSTERN.helpdesk_phone,
        },
    )
    subject = f"{settings.POSTERN.community_name}: {subject}"
    notice(subject, body, person=person, what=template).send()
