"""The objects that the arguments of routes refer to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from engine.certificates.models import Role
from engine.certificates.visibility import View
from engine.incidents.models import Rescan, Withdrawal
from engine.linked_files.models import LinkedFile, ScanState
from engine.registry.actions import people as people_actions
from engine.registry.actions import sending_stops
from engine.registry.models import (
    Grant,
    Mailbox,
    Organisation,
    Person,
    RecoveryAddressChange,
)
from engine.storage import content
from engine.storage import message_actions as storage
from engine.storage.models import (
    Export,
    Folder,
    FolderRole,
    Label,
    Reminder,
    ReminderKind,
    Rule,
)
from engine.storage.organising import notes
from engine.storage.standard_folders import folder, inbox
from engine.trace.models import Event, EventKind
from onboarding.models import Application
from onboarding.status import Status
from portal.certificates import making
from portal.emergency_access.models import Capacity, EmergencyAccess
from portal.guides.models import Guide
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import CannedReply
from portal.helpdesk.status import Source
from portal.home.models import ServiceNotice
from portal.organisation.models import PeopleFile
from portal.webmail.models import (
    Contact,
    ContactGroup,
    PushSubscription,
    SavedSearch,
    ScheduledSend,
    Signature,
    TextTemplate,
)
from tests import factories

LETTER = (
    b"From: Jane <jane@firm.example>\r\nSubject: Monday\r\n"
    b"Content-Type: text/html\r\n\r\n<p>Hello</p>\r\n"
)
TOKEN = "0f0e0d0c-0b0a-4f7b-9a35-0c8e7d2f4b61"
EXAMPLES = {
    "^reset/key/(?P1[0-9A-Za-z]+)-(?P1.+)/$": "reset/key/1-1/",
    "(live|earliest|\\d+)\\.\\.\\.(live|latest|\\d+)": "live...latest",
    "(\\d+)": "1",
    "(?:.*/)?": "",
    "^.*/$": "nowhere/",
    "^.*$": "nowhere",
    "^((?:[\\w\\-]+/)*)$": "",
    "^": "",
    "$": "",
}
# Values for arguments without a real object.
PLACEHOLDERS = {"str": "nothing", "slug": "nothing", "int": 1, "uuid": TOKEN}


@dataclass(frozen=True)
class RouteObjects:
    """Bob's objects and those of his organisation.

    `arguments` are by the start of the route, of which the longest match counts, then by
    name.
    """

    arguments: dict[str, dict[str, Any]]

    def url(self, route: str) -> str:
        """Returns the path of a route, with Bob's objects for its arguments."""
        known = self._known(route)

        def fill(found: re.Match[str]) -> str:
            kind, name = found[1] or "str", found[2]
            return str(known.get(name, PLACEHOLDERS.get(kind, 1)))

        path = re.sub(r"<(?:(\w+):)?(\w+)>", fill, route)
        return "/" + _without_expressions(path)

    def _known(self, path: str) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for start in sorted(self.arguments, key=len):
            if path.startswith(start):
                known |= self.arguments[start]
        return known


def _without_expressions(path: str) -> str:
    """Replaces the regular expressions of libraries by a short text that they match."""
    for expression, example in EXAMPLES.items():
        path = path.replace(expression, example)
    return path


def create(bob: Person, northfield: Organisation) -> RouteObjects:
    """Creates one object of each kind that a route has for an argument."""
    mailbox = bob.mailbox
    office = _organisation(bob, northfield)
    change = {"kind": "address", "pk": _address_change(bob)}
    return RouteObjects(
        {
            "account/app-passwords/": {"app_password_id": _app_password(bob)},
            "account/openings/": {"mailbox_id": mailbox.pk},
            "certificates/": {"number": _certificate(bob)},
            "files/": {"secret": (linked := _linked_file(bob)).secret},
            "mail/linked-files/": {"file_id": linked.pk},
            "mail/": (mail := _mail(bob, mailbox)),
            "mail/messages/<int:message_id>/delivery/": {"message_id": mail["sent_id"]},
            "mail/messages/<int:message_id>/recall/": {"message_id": mail["sent_id"]},
            "mail/contacts/": _contacts(bob),
            "mail/arrival-notices/browsers/": {
                "subscription_id": _push_subscription(bob)
            },
            "mail/messages/<int:message_id>/assign/": (
                work := _group_work(office, bob)
            ),
            "mail/messages/<int:message_id>/notes/": work,
            "organisation/": office,
            "organisation/<int:organisation_id>/people/recovery/": (
                change | {"answer": "agree"}
            ),
            "directory/": _directory(bob, northfield),
            "emergency-access/": {
                "pk": _emergency_access(bob),
                "person_id": bob.pk,
            },
            "help/tickets/": (ticket := _ticket(bob)),
            "admin/tickets/": ticket,
            "admin/tickets/canned/": {"pk": _canned()},
            "admin/applications/": {"pk": _application()},
            "admin/organisations/": office | {"pk": northfield.pk},
            "admin/notices/": {"pk": _notice()},
            "admin/people/": {"pk": bob.pk, "key": _app_password(bob)},
            "admin/people/recovery/": change | {"answer": "agree"},
            "admin/rescans/": {"pk": _rescan()},
            "admin/withdrawals/": {"pk": _withdrawal()},
            "admin/sending-stops/": {"kind": "person", "pk": bob.pk},
            "admin/sending-stops/<int:pk>/lift/": {"pk": _stop()},
            "admin/pages/": (page := _guide()),
            "admin/choose-page/": page,
        }
    )


def _app_password(bob: Person) -> int:
    return people_actions.add_app_password(bob, name="Telephone", by=bob)[0].pk


def _certificate(bob: Person) -> str:
    received = Event(
        kind=EventKind.RECEIVED,
        at=timezone.now(),
        detail={"sender": bob.address, "size": 1},
    )
    view = View("R1", Role.AUTHOR, bob.address, [received], bob.organisation_id)
    return str(making.make(view, by=bob).number)


def _linked_file(bob: Person) -> LinkedFile:
    """A file that Bob sent as a link."""
    kept = content.keep(b"", b"A bundle")
    return LinkedFile.objects.create(
        secret="a-secret",
        mailbox=bob.mailbox,
        token=TOKEN,
        organisation_id=bob.organisation_id,
        person=bob,
        name="Bundle.pdf",
        size=8,
        content=content.save(kept, holder=bob.organisation_id),
        state=ScanState.CLEAN,
        reference="R1",
        expires_at=timezone.now() + timedelta(days=1),
    )


def _emergency_access(bob: Person) -> int:
    return EmergencyAccess.objects.create(
        mailbox=bob.mailbox,
        address=bob.address,
        holder=bob,
        organisation=bob.organisation,
        capacity=Capacity.ADMINISTRATOR,
        reason="Urgent",
        hours=1,
    ).pk


def _address_change(bob: Person) -> int:
    return RecoveryAddressChange.objects.create(
        person=bob,
        new="bob@home.example",
        requested_by_name="hugh@secure.example",
        effective_at=timezone.now() + timedelta(days=1),
    ).pk


def _mail(bob: Person, mailbox: Mailbox) -> dict[str, Any]:
    message = storage.append(inbox(mailbox), LETTER, is_read=False)
    sent = storage.append(folder(mailbox, FolderRole.SENT), LETTER, reference="R1")
    scheduled_send = ScheduledSend.objects.create(
        message=sent,
        person=bob,
        reference="R1",
        leaves_at=timezone.now() + timedelta(minutes=1),
    )
    own = Folder.objects.create(mailbox=mailbox, role=FolderRole.CUSTOM, name="Papers")
    signature = Signature.objects.create(mailbox=mailbox, name="Short", text="Bob")
    return {
        "mailbox_id": mailbox.pk,
        "message_id": message.pk,
        "sent_id": sent.pk,
        "folder_id": own.pk,
        "scheduled_send_id": scheduled_send.pk,
        "signature_id": signature.pk,
        "label_id": Label.objects.create(mailbox=mailbox, name="Urgent").pk,
        "search_id": SavedSearch.objects.create(
            person=bob, mailbox=mailbox, name="Files", query="has:attachment"
        ).pk,
        "reminder_id": Reminder.objects.create(
            mailbox=mailbox,
            message=sent,
            person=bob,
            kind=ReminderKind.FOLLOW_UP,
            due_at=timezone.now(),
        ).pk,
        "template_id": TextTemplate.objects.create(person=bob, name="x", text="x").pk,
        "rule_id": Rule.objects.create(mailbox=mailbox, name="Lists", position=1).pk,
        "token": Export.objects.create(mailbox=mailbox, person=bob).token,
    }


def _group_work(office: dict[str, Any], bob: Person) -> dict[str, Any]:
    team = Mailbox.objects.get(pk=office["mailbox_id"])
    Grant.objects.filter(mailbox=team, person=bob).update(can_read=True, can_write=True)
    message = storage.append(inbox(team), LETTER)
    note = notes.add(team, message, text="Ours.", by=bob)
    return {"message_id": message.pk, "note_id": note.pk}


def _contacts(bob: Person) -> dict[str, Any]:
    address = "charlie@harbour.secure.example"
    contact = Contact.objects.create(
        person=bob, name="Charlie", address=address, key=address
    )
    group = ContactGroup.objects.create(person=bob, name="Court")
    return {"contact_id": contact.pk, "group_id": group.pk, "kind": "vcf"}


def _push_subscription(bob: Person) -> int:
    now = timezone.now()
    return PushSubscription.objects.create(
        person=bob,
        generation=bob.session_generation,
        endpoint="https://push.example/1",
        endpoint_digest="1",
        created_at=now,
        renewed_at=now,
        next_attempt_at=now,
    ).pk


def _organisation(bob: Person, northfield: Organisation) -> dict[str, Any]:
    team = factories.make_group_mailbox("duty@northfield.secure.example", northfield)
    factories.make_grant(team, bob)
    file = PeopleFile.objects.create(organisation=northfield, name="people.csv")
    return {
        "organisation_id": northfield.pk,
        "person_id": bob.pk,
        "mailbox_id": team.pk,
        "list_id": _list(bob, northfield),
        "people_file_id": file.pk,
        "part": "server",
        "connection_id": factories.make_connection(northfield).pk,
        "domain_id": factories.make_domain(northfield, "old.secure.example").pk,
    }


def _list(bob: Person, northfield: Organisation) -> int:
    address = "all@northfield.secure.example"
    found = northfield.distribution_lists.filter(address=address).first()
    made = found or factories.make_list(address, northfield, bob.address)
    return made.pk


def _directory(bob: Person, northfield: Organisation) -> dict[str, Any]:
    team = factories.make_group_mailbox("jury@northfield.secure.example", northfield)
    return {
        "person_id": bob.pk,
        "organisation_id": northfield.pk,
        "list_id": _list(bob, northfield),
        "mailbox_id": team.pk,
    }


def _ticket(bob: Person) -> dict[str, Any]:
    question = Question(
        subject="It came back",
        text="My message.",
        address=bob.address,
        name=bob.name,
        person=bob,
    )
    return {"pk": tickets.open_ticket(question, source=Source.FORM, by=bob).pk}


def _canned() -> int:
    return CannedReply.objects.create(title="Codes", text="Use the app.").pk


def _application() -> int:
    return Application.objects.create(
        everyday_address="jane@firm.example",
        organisation_name="Firm",
        status=Status.SUBMITTED,
        submitted_at=timezone.now(),
    ).pk


def _guide() -> dict[str, Any]:
    guide = Guide.objects.get()
    index = guide.get_parent()
    return {
        "page_id": guide.pk,
        "page_to_move_id": guide.pk,
        "parent_page_id": index.pk,
        "destination_id": index.pk,
        "revision_id": guide.latest_revision_id,
        "app_label": "guides",
        "model_name": "guide",
        "content_type_app_name": "guides",
        "content_type_model_name": "guide",
    }


def _rescan() -> int:
    return Rescan.objects.create(
        since=timezone.now(), position=0, started_by_id=1, started_by="olive"
    ).pk


def _withdrawal() -> int:
    now = timezone.now()
    return Withdrawal.objects.create(
        since=now, until=now, asked_by_id=1, asked_by="olive@secure.example"
    ).pk


def _stop() -> int:
    by_nobody = "program@northfield.secure.example"
    return sending_stops.stop_address(by_nobody, reason="Loops", by=None).pk


def _notice() -> int:
    return ServiceNotice.objects.create(kind="news", title="New guides").pk
