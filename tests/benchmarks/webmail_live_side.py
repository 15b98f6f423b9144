"""Prepares the people of `webmail_live`, prints their sessions, and delivers on request."""

from __future__ import annotations

import sys

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.test import RequestFactory

from engine.mail.header import HeaderBlock
from engine.mail.message import summarise
from engine.registry.models import Grant, Mailbox, Person
from engine.storage import content, mailbox_delivery
from engine.storage.content_keys import COMMUNITY
from engine.storage.mailbox_delivery import Delivery
from portal.sessions import store
from tests import factories

HEADER = b"From: Jane <jane@firm.example>\r\nSubject: Listing\r\n\r\n"
BODY = b"Please see the bundle.\r\n"


def main() -> None:
    people, team = _people(int(sys.argv[1]))
    print(*map(_session, people), flush=True)
    mailboxes = {"team": team.pk, "one": people[0].mailbox.pk}
    for line in sys.stdin:
        _deliver(mailboxes[line.strip()])
        print("kept", flush=True)


def _people(count: int) -> tuple[list[Person], Mailbox]:
    northfield = factories.make_organisation(name="Northfield")
    team = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    people = []
    with transaction.atomic():
        for number in range(count):
            address = f"person{number}@northfield.secure.example"
            person = factories.make_person(address, northfield, password=None)
            factories.make_mailbox(person)
            people.append(person)
        Grant.objects.bulk_create(
            Grant(mailbox=team, person=person, can_read=True) for person in people
        )
    return people, team


def _session(person: Person) -> str:
    """Signs a person in as `django.contrib.auth.login` does, without a password."""
    request = RequestFactory().get("/")
    request.session = store.SessionStore()
    request.session[SESSION_KEY] = str(person.pk)
    request.session[BACKEND_SESSION_KEY] = (
        "allauth.account.auth_backends.AuthenticationBackend"
    )
    request.session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.begin(request, person)
    request.session.save()
    return str(request.session.session_key)


@transaction.atomic
def _deliver(mailbox_id: int) -> None:
    kept = content.keep(HEADER, BODY)
    row = content.save(kept, holder=COMMUNITY)
    delivery = Delivery(
        mailbox_id=mailbox_id,
        content_id=row.pk,
        envelope_sender="jane@firm.example",
        header=HEADER,
        summary=summarise(HeaderBlock.salvage(HEADER)),
        size=row.size,
        has_attachments=False,
    )
    mailbox_delivery.deliver([delivery])
