"""Emails to people whose sign-in an administrator has set up or reset."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string

from engine.email_backend import notice
from engine.registry.models import Person
from onboarding import signed_links


def send_invitation(person: Person) -> None:
    """Sends the link for choosing a password.

    Sends nothing once the person has a password, or where no address outside the
    community is known.
    """
    if person.has_usable_password() or not person.notice_address:
        return
    token = signed_links.first_sign_in_token(person)
    community_name = settings.POSTERN.community_name
    context = {
        "person": person,
        "link": signed_links.absolute_url("onboarding:first_sign_in", token),
        "days": signed_links.FIRST_SIGN_IN_LIFETIME.days,
        "community_name": community_name,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
    body = render_to_string("account_admin/emails/invitation.txt", context)
    notice(
        f"Sign in to {community_name}", body, person=person, what="invitation"
    ).send()
