"""Who requests which URL: the visitors, and the objects that routes and queries name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from api.framework.pagination import SALT
from engine.antivirus.models import QuarantinedMessage
from engine.audit.models import Entry
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import (
    Connection,
    DirectoryEntry,
    DistributionList,
    Domain,
    ListMember,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.storage.models import Folder, Message
from engine.trace.models import Event
from onboarding.models import Application
from portal.guides.models import Guide
from portal.helpdesk.models import Ticket
from portal.webmail.models import Contact, ContactGroup
from tests.permissions import permission_table, visitors
from tests.permissions.route_objects import RouteObjects
from tests.portal.conftest import sign_in
from tests.scale import lists
from tests.scale.community import FIRST, SECRETS, STAFF

# The first of them that a route admits requests it.
ORDER = ("administrator", "member", "operator", "auditor", "agent", "officer", "editor")
STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Place:
    """One URL, and the visitor or key that requests it."""

    route: str
    url: str
    visitor: str


class Places:
    """Every URL to request, in a community that `community.py` filled."""

    def __init__(self) -> None:
        self._values = _values()
        self._objects = RouteObjects(_arguments(self._values))

    def all(self) -> Iterator[Place]:
        """Yields the first page of every route, then its other pages."""
        for route, permission in permission_table.declared().items():
            if route.startswith("api/v1/"):
                yield from self._of_the_api(route)
            elif visitor := _visitor(permission.admits):
                yield from self._requests(route, visitor)

    def _of_the_api(self, route: str) -> Iterator[Place]:
        if route not in lists.NOT_OF_THE_COMMUNITY:
            yield from self._requests(route, "community")
        if route in lists.OF_ONE_ORGANISATION:
            yield from self._requests(route, "organisation")

    def _requests(self, route: str, visitor: str) -> Iterator[Place]:
        url = self._objects.url(route)
        for query in ("", *lists.QUERIES.get(route, ())):
            filled = self._filled(query)
            yield Place(route, f"{url}?{filled}" if filled else url, visitor)

    def _filled(self, query: str) -> str:
        def fill(found: re.Match[str]) -> str:
            value = str(self._values[found[2]])
            if found[1] == "cursor=":
                value = signing.dumps([0, False, value], salt=SALT)
            return found[1] + value

        return re.sub(r"(\w*=?)\{(\w+)\}", fill, query)


def clients() -> dict[str, Client]:
    """Returns a signed-in client of each visitor and key."""
    found = {name: _signed_in(f"{name}@secure.example") for name in STAFF}
    first = Person.objects.get(pk=FIRST).address
    found |= {name: _signed_in(first) for name in ("administrator", "member")}
    found[STRANGER] = Client()
    for name, secret in SECRETS.items():
        found[name] = Client(headers={"Authorization": f"Bearer {secret}"})
    for client in found.values():
        client.raise_request_exception = False
    return found


def _signed_in(address: str) -> Client:
    person = Person.objects.get(address=address)
    return sign_in(Client(), person, second_factor=True)


def _visitor(admits: frozenset[str]) -> str:
    for name in ORDER:
        if name in admits:
            return name
    return STRANGER if visitors.OUTSIDE & admits else ""


def _values() -> dict[str, Any]:
    """Returns a row in the middle of each table, by its name in a query."""
    own = Person.objects.filter(organisation=FIRST)
    event = _middle(Event)
    message = _middle(Message, mailbox=FIRST)
    queued = _middle(QueuedMessage)
    return {
        "first": FIRST,
        "organisation": _middle(Organisation).pk,
        "person": _middle(Person).pk,
        "own_person": own.order_by("pk")[own.count() // 2].pk,
        "address": own.get(pk=FIRST).address,
        "sender": queued.sender,
        "reference": event.reference,
        "message_id": message.message_id,
        "message": message.pk,
        "event": event.pk,
        "entry": _middle(Entry).pk,
        "recipient": _middle(Recipient).pk,
        "quarantined": _middle(QuarantinedMessage).pk,
        "ticket": _middle(Ticket).pk,
        "team": _middle(Mailbox, organisation=FIRST, kind=MailboxKind.GROUP).pk,
        "list": _middle(DistributionList, organisation=FIRST).pk,
        "member": _middle(ListMember, distribution_list=1001).pk,
        "contact": _middle(Contact, person=FIRST).pk,
        "group": _middle(ContactGroup, person=FIRST).pk,
        "entry_id": _middle(DirectoryEntry, organisation=FIRST).pk,
        "call": FIRST,
        "yesterday": (timezone.localdate() - timedelta(days=1)).isoformat(),
    }


def _middle(model: type[Model], **conditions: Any) -> Any:
    rows = model._default_manager.filter(**conditions).order_by("pk")
    return rows[rows.count() // 2]


def _arguments(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the objects of routes, as `RouteObjects` takes them."""
    organisation = {
        "organisation_id": FIRST,
        "person_id": values["own_person"],
        "mailbox_id": values["team"],
        "list_id": 1001,
        "domain_id": Domain.objects.filter(organisation=FIRST).first().pk,
        "people_file_id": 1,
        "reference": values["reference"],
    }
    inbox = Folder.objects.get(mailbox=FIRST, role="inbox").pk
    mail = {"mailbox_id": FIRST, "folder_id": inbox, "message_id": values["message"]}
    own_ticket = Ticket.objects.filter(requester=FIRST).first()
    return {
        "organisation/": organisation,
        "organisation/<int:organisation_id>/connection/": _connection(),
        "admin/organisations/": organisation | {"pk": FIRST},
        "admin/organisations/<int:pk>/connections/": _connection() | {"pk": 1007},
        "admin/people/": {"pk": values["own_person"]},
        "admin/trace/": {"reference": values["reference"]},
        "admin/quarantine/": {"pk": values["quarantined"]},
        "admin/tickets/": {"pk": values["ticket"]},
        "admin/tickets/canned/": {"pk": 1},
        "admin/applications/": {"pk": _middle(Application).pk},
        "admin/notices/": {"pk": 1},
        "help/tickets/": {"pk": own_ticket.pk},
        "directory/": {
            "person_id": values["person"],
            "organisation_id": FIRST,
            "list_id": 1001,
            "mailbox_id": values["team"],
        },
        "mail/": mail | {"path": "1"},
        "mail/contacts/": {
            "contact_id": values["contact"],
            "group_id": values["group"],
            "kind": "csv",
        },
        "api/v1/": {
            "pk": FIRST,
            "list_id": 1001,
            "mailbox_id": values["team"],
            "endpoint_id": FIRST,
            "reference": values["reference"],
        },
        "api/v1/messages/": {"pk": values["message"]},
    } | _pages()


def _connection() -> dict[str, Any]:
    row = Connection.objects.order_by("pk").first()
    return {
        "organisation_id": row.organisation_id,
        "connection_id": row.pk,
        "part": "server",
    }


def _pages() -> dict[str, dict[str, Any]]:
    guide = Guide.objects.first()
    index = guide.get_parent()
    page = {
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
    return {"admin/pages/": page, "admin/choose-page/": page}
