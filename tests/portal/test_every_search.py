"""Each search finds a name by every way to write it, through its page.

Mailbox and directory have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.audit.record import record
from engine.registry.models import Organisation, Person, RoleName
from engine.storage.models import Folder, FolderRole
from onboarding.models import Application
from portal.guides.models import Guide, GuideIndex
from portal.webmail.contacts import actions
from portal.webmail.contacts.contact_card import Card
from tests import factories
from tests.engine.folding.test_words import SPELLINGS
from tests.portal.conftest import sign_in
from tests.portal.guides.conftest import GuideFolder, guide_folder

__all__ = ["guide_folder"]

# Of each name the ways that differ most: as its owner writes it, plainly, and the last.
SPELT = [tuple(dict.fromkeys((*ways[:2], ways[-1]))) for ways in SPELLINGS]
_serial = count()


@dataclass(frozen=True, slots=True)
class Search:
    """A place to search: how something with a name gets there, and how it is asked.

    `make` is given the name, and a word to show with it.
    """

    make: Callable[[str, str, Person], object]
    url: str
    parameter: str = "q"
    role: str = "member"

    def ask(self, client: Client, person: Person, text: str) -> str:
        url = self.url.format(organisation=person.organisation_id)
        return client.get(url, {self.parameter: text}).content.decode()


def contact(name: str, mark: str, by: Person) -> object:
    return actions.add(by, Card(name, f"{mark}@marks.example"))


def contact_by_organisation(name: str, mark: str, by: Person) -> object:
    return actions.add(by, Card(mark, f"{mark}@marks.example", name))


def contact_group(name: str, mark: str, by: Person) -> object:
    group = actions.add_group(by, name=f"{name} {mark}")
    return actions.add_to_group(group, [Card(mark, f"{mark}@marks.example")])


def person(name: str, mark: str, by: Person) -> Person:
    return factories.make_person(f"{mark}@x.example", by.organisation, name=name)


def person_by_title(name: str, mark: str, by: Person) -> Person:
    address = f"{mark}@x.example"
    return factories.make_person(address, by.organisation, job_title=name)


def organisation(name: str, mark: str, by: Person) -> Organisation:
    made = factories.make_organisation(name=name)
    factories.make_domain(made, f"{mark}.example")
    return made


def organisation_in_town(name: str, mark: str, by: Person) -> Organisation:
    return factories.make_organisation(name=mark, town=name)


def shown_organisation(name: str, mark: str, by: Person) -> Organisation:
    """One whose name shows the mark, as its search result does."""
    return factories.make_organisation(name=f"{name} {mark}")


def group_mailbox(name: str, mark: str, by: Person) -> object:
    return factories.make_group_mailbox(f"{mark}@x.example", by.organisation, name=name)


def distribution_list(name: str, mark: str, by: Person) -> object:
    return factories.make_list(f"{mark}@x.example", by.organisation, name=name)


def application(name: str, mark: str, by: Person) -> object:
    return Application.objects.create(
        organisation_name=f"{name} {mark}", submitted_at=timezone.now()
    )


def quarantined(name: str, mark: str, by: Person) -> object:
    return QuarantinedMessage.objects.create(
        reference=f"R{next(_serial)}",
        signature=f"{name} {mark}",
        scanner="clamd",
        size=1,
        digest="0",
        path="x",
    )


def audited(name: str, mark: str, by: Person) -> object:
    subject = factories.make_organisation(name=f"{name} {mark}")
    owner = by.organisation_id
    return record("organisation.added", subject, organisation_key=owner, by=None)


def guide(name: str, mark: str, by: Person) -> object:
    page = Guide(
        title=mark,
        slug=mark,
        summary=f"About {name}.",
        topic="mail",
        kept_by="Helpdesk",
    )
    return GuideIndex.objects.get().add_child(instance=page)


def guide_by_words(name: str, mark: str, by: Person) -> object:
    page = Guide(
        title=mark, slug=mark, summary="Short.", topic="mail", kept_by="X", words=name
    )
    return GuideIndex.objects.get().add_child(instance=page)


EVERYTHING = "/admin/search/"
SEARCHES = {
    "contacts": Search(contact, "/mail/contacts/"),
    "organisations of contacts": Search(contact_by_organisation, "/mail/contacts/"),
    "suggested contacts": Search(contact, "/mail/contacts/suggest/"),
    "suggested groups": Search(contact_group, "/mail/contacts/suggest/"),
    "people of an organisation": Search(person, "/organisation/{organisation}/people/"),
    "job titles": Search(person_by_title, "/organisation/{organisation}/people/"),
    "history": Search(audited, "/organisation/{organisation}/history/"),
    "console: people": Search(person, "/admin/people/", role="staff"),
    "console: people of an organisation": Search(
        person, "/admin/organisations/{organisation}/people/", role="staff"
    ),
    "console: organisations": Search(
        organisation, "/admin/organisations/", role="staff"
    ),
    "console: towns": Search(
        organisation_in_town, "/admin/organisations/", "town", role="staff"
    ),
    "console: callers": Search(person, "/admin/tickets/call/", role="staff"),
    "console: quarantine": Search(quarantined, "/admin/quarantine/", role="staff"),
    "console: audit trail": Search(audited, "/admin/audit/", role="staff"),
    "console: applications": Search(application, "/admin/applications/", role="staff"),
    "everything: people": Search(person, EVERYTHING, role="staff"),
    "everything: organisations": Search(shown_organisation, EVERYTHING, role="staff"),
    "everything: mailboxes": Search(group_mailbox, EVERYTHING, role="staff"),
    "everything: lists": Search(distribution_list, EVERYTHING, role="staff"),
    "everything: applications": Search(application, EVERYTHING, role="staff"),
    "guides": Search(guide, "/guides/search/"),
    "search words of guides": Search(guide_by_words, "/guides/search/"),
}


@pytest.fixture
def visitors(bob: Person, guide_folder: GuideFolder) -> dict[str, Person]:
    """A member who administers an organisation, and staff with every role."""
    guide_folder.load()
    factories.make_administrator(bob)
    staff = factories.make_person("staff@secure.example", bob.organisation)
    for role in RoleName:
        if role not in (RoleName.MEMBER, RoleName.ADMINISTRATOR):
            factories.make_staff(staff, role)
    return {"member": bob, "staff": staff}


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_every_spelling_finds_every_other(
    client: Client, visitors: dict[str, Person], search: Search
) -> None:
    visitor = visitors[search.role]
    sign_in(client, visitor, second_factor=True)
    marks: dict[Any, list[str]] = {}
    for ways in SPELT:
        marks[ways] = [f"qq{len(marks)}qq{number}qq" for number in range(len(ways))]
        for name, mark in zip(ways, marks[ways], strict=True):
            search.make(name, mark, visitor)

    for number, ways in enumerate(SPELT):
        asked = ways[number % 2]
        page = search.ask(client, visitor, asked)
        assert [mark for mark in marks[ways] if mark not in page] == [], asked
    assert "qq0qq" not in search.ask(client, visitor, "Nobody's")


@pytest.mark.parametrize("typed", ["Łódź", "lodz", "ŁÓDŹ"])
def test_a_folder_is_named_in_any_spelling(
    client: Client, bob: Person, typed: str
) -> None:
    Folder.objects.create(mailbox=bob.mailbox, name="Łódź", role=FolderRole.CUSTOM)
    sign_in(client, bob, second_factor=True)
    url = reverse("webmail:search", args=[bob.mailbox.pk])

    page = client.get(url, {"q": f"in:{typed} is:unread"}).content.decode()

    assert "No folder is called" not in page
