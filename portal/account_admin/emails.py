"""Notices to people whose way of signing in an administrator has changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from engine.backend import notice
from engine.registry.models import Person
from onboarding import signed_links


def send_invitation(person: Person) -> None:
    """The link with which a person chooses a password; nothing once they have one."""
    if person.has_usable_password():
        return
    token = signed_links.first_sign_in_token(person)
    _send(
        person,
        "invitation",
        f"Sign in to {settings.POSTERN.community_name}",
        link=signed_links.absolute_url("onboarding:first_sign_in", token),
        days=signed_links.FIRST_SIGN_IN_LIFETIME.days,
    )


def _send(person: Person, template: str, subject: str, **context: Any) -> None:
    if not person.notice_address:
        return
    context |= {
        "person": person,
        "community_name": settings.POSTERN.community_name,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
    body = render_to_string(f"account_admin/emails/{template}.txt", context)
    notice(subject, body, person=person, what=template).send()
