"""The mail to everyday addresses: the notice of new mail, and the link that proves one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from engine.email_backend import ServiceMessage, notice
from engine.registry.models import Mailbox, Person
from portal.webmail.arrival_notices import choice
from portal.webmail.models import ArrivalNotice


@dataclass(frozen=True, slots=True)
class NewMail:
    """How many unread messages have arrived in a mailbox since the last notice."""

    mailbox: Mailbox
    count: int


def arrival(chosen: ArrivalNotice, found: Sequence[NewMail]) -> ServiceMessage:
    """Returns the notice: for which mailboxes, how many messages, where to sign in."""
    context: dict[str, object] = {
        "found": found,
        "mail": _link("webmail:folder"),
        "settings": _link("webmail:arrival_notices"),
    }
    # The claim makes it one. Two people may have one everyday address, and a job that is
    # repeated has further mail to tell of.
    what = f"arrival {chosen.pk} {chosen.arrived_to}"
    return _message(chosen.person, "new mail", "arrival", context, what=what)


def send_proof_link(person: Person) -> None:
    """Sends the link that proves the everyday address."""
    context = {
        "link": _link("webmail:prove_everyday_address", choice.proof_token(person)),
        "hours": int(choice.LINK_LIFETIME.total_seconds()) // 3600,
    }
    message = _message(person, "confirm your everyday address", "proof", context)
    message.send()


def _message(
    person: Person,
    subject: str,
    template: str,
    context: dict[str, object],
    *,
    what: str = "",
) -> ServiceMessage:
    community_name = settings.POSTERN.community_name
    body = render_to_string(
        f"webmail/email/{template}.txt",
        {**context, "person": person, "community_name": community_name},
    )
    return notice(
        f"{community_name}: {subject}",
        body,
        person=person,
        to=person.everyday_address,
        what=what or template,
    )


def _link(name: str, *arguments: str) -> str:
    # Never from a request, whose Host header its sender can choose.
    return urljoin(settings.POSTERN.site_url, reverse(name, args=arguments))
