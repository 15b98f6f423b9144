"""Every notice that onboarding sends, one function each. Words are in templates/."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from engine.registry.models import Person, RoleName
from onboarding import links
from onboarding.models import Application, Letter


def send_received(application: Application) -> None:
    """To the applicant: we have it, this is the reference, here you can follow it."""
    _send(
        "received",
        subject=f"We have your application {application.reference}",
        to=[application.everyday_address],
        application=application,
        tracker=_tracker(application),
    )


def send_to_vetting_officers(application: Application) -> None:
    """To every vetting officer: somebody is waiting."""
    officers = Person.objects.filter(
        is_active=True, staff_roles__role=RoleName.VETTING_OFFICER
    ).select_related("mailbox")
    for address in filter(None, map(_notice_address, officers)):
        _send(
            "to_vetting_officers",
            subject=f"Application {application.reference} is waiting for a decision",
            to=[address],
            application=application,
        )


def send_rejected(application: Application) -> None:
    """To the applicant: no, and why."""
    _send(
        "rejected",
        subject=f"Our decision on your application {application.reference}",
        to=[application.everyday_address],
        application=application,
    )


def send_welcome(application: Application, letter: Letter, person: Person) -> None:
    """To the new administrator: you are in; sign in, and fetch the welcome letter."""
    _send(
        "welcome",
        subject=f"{application.organisation_name} can now use {_community()}",
        to=[application.everyday_address],
        application=application,
        person=person,
        first_sign_in=_first_sign_in(person),
        letter=links.absolute("onboarding:letter", links.letter_token(letter)),
        letter_days=links.LETTER_LIFETIME.days,
    )


def send_first_sign_in(person: Person) -> None:
    """To an administrator whose link grew old: another one."""
    _send(
        "first_sign_in",
        subject=f"Your link to sign in to {_community()}",
        to=[person.everyday_address],
        person=person,
        first_sign_in=_first_sign_in(person),
    )


def _send(template: str, *, subject: str, to: list[str], **context: Any) -> None:
    context["community_name"] = _community()
    context["helpdesk_phone"] = settings.POSTERN.helpdesk_phone
    context["first_sign_in_days"] = links.FIRST_SIGN_IN_LIFETIME.days
    body = render_to_string(f"onboarding/emails/{template}.txt", context)
    # Names come from strangers: whatever they hold, a subject is one line.
    EmailMessage(" ".join(subject.split()), body, to=to).send()


def _notice_address(person: Person) -> str:
    """Where a member of staff reads notices: a mailbox here, or an everyday address."""
    return person.address if hasattr(person, "mailbox") else person.everyday_address


def _community() -> str:
    return str(settings.POSTERN.community_name)


def _tracker(application: Application) -> str:
    token = links.tracker_token(application)
    return links.absolute("onboarding:tracker", token)


def _first_sign_in(person: Person) -> str:
    token = links.first_sign_in_token(person)
    return links.absolute("onboarding:first_sign_in", token)
