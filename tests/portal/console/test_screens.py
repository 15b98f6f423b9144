from __future__ import annotations

import pytest
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.audit.models import Entry
from engine.audit.record import record
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import Person, RoleName
from engine.storage.models import Content
from engine.trace.models import Event
from tests import factories
from tests.portal.conftest import SignIn

HOME = "/admin/"
SCREENS = {
    HOME: set(RoleName) - {RoleName.MEMBER, RoleName.ADMINISTRATOR},
    "/admin/queue/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/trace/": {RoleName.OPERATOR, RoleName.AUDITOR, RoleName.HELPDESK_AGENT},
    "/admin/quarantine/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/sending-stops/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/delivered/": {RoleName.OPERATOR},
    "/admin/withdrawals/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/rescans/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/outbox/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/search/": set(RoleName) - {RoleName.MEMBER, RoleName.ADMINISTRATOR},
    "/admin/queue/destinations/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/health/": {RoleName.OPERATOR, RoleName.AUDITOR},
    "/admin/audit/": {RoleName.AUDITOR},
    "/admin/audit/entries.csv": {RoleName.AUDITOR},
}
STAFF = [role for role in RoleName if role not in ("member", "administrator")]


@pytest.fixture
def auditor(db: None) -> Person:
    person = factories.make_person("ada@secure.example", name="Ada")
    factories.make_staff(person, RoleName.AUDITOR)
    return person


def make_recipient(address: str = "jane@firm.example.secure.example", **over):
    content = Content.objects.create(
        size=4, body_digest="0" * 64, header=b"\r\n", body=b"Hi"
    )
    message = QueuedMessage.objects.create(
        reference=f"R{QueuedMessage.objects.count()}",
        content=content,
        sender="bob@northfield.secure.example",
        source="webmail",
        expires_at=timezone.now(),
    )
    fields = {"destination": "mailbox", "message": message, "address": address}
    return Recipient.objects.create(**(fields | over))


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("path", SCREENS)
def test_screen_opens_only_for_its_roles(
    signed_in: SignIn, db: None, role: RoleName, path: str
) -> None:
    person = factories.make_person("sam@secure.example")
    factories.make_staff(person, role)

    response = signed_in(person, second_factor=True).get(path)

    assert response.status_code == (200 if role in SCREENS[path] else 403)


@pytest.mark.parametrize("path", SCREENS)
def test_screen_is_closed_to_an_administrator(
    signed_in: SignIn, alice: Person, path: str
) -> None:
    response = signed_in(alice, second_factor=True).get(path)

    assert response.status_code == 404


@pytest.mark.parametrize("path", ["/admin/trace/", "/admin/audit/"])
def test_a_role_in_an_organisation_opens_nothing_for_staff(
    signed_in: SignIn, alice: Person, path: str
) -> None:
    factories.make_staff(alice, RoleName.GUIDE_EDITOR)

    assert signed_in(alice, second_factor=True).get(path).status_code == 403


@pytest.mark.parametrize("path", SCREENS)
def test_screen_sends_a_stranger_to_sign_in(client, db: None, path: str) -> None:
    assert client.get(path).url == f"/account/login/?next={path}"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/users/",
        "/admin/groups/",
        "/admin/images/",
        "/admin/documents/",
        "/admin/snippets/",
        "/admin/sites/",
        "/admin/redirects/",
        "/admin/reports/locked/",
        "/admin/collections/",
    ],
)
def test_wagtails_own_lists_stay_closed(
    signed_in: SignIn, olive: Person, path: str
) -> None:
    response = signed_in(olive, second_factor=True).get(path, follow=True)

    assert response.status_code == 404 or response.request["PATH_INFO"] == HOME


def test_menu_shows_what_the_role_may_open(signed_in: SignIn, vera: Person) -> None:
    page = signed_in(vera, second_factor=True).get(HOME).content.decode()

    assert "/admin/applications/" in page
    for path in ("/admin/queue/", "/admin/users/", "/admin/images/", "/admin/reports/"):
        assert path not in page


def test_home_counts_what_waits(signed_in: SignIn, olive: Person) -> None:
    make_recipient()
    make_recipient(status="held", hold="operator")

    tiles = signed_in(olive, second_factor=True).get(HOME).context["tiles"]

    assert {tile.label: tile.number for tile in tiles}["Recipients held"] == 1
    held = next(tile for tile in tiles if tile.label == "Recipients held")
    assert held.is_alarming
    assert held.href == "/admin/queue/?status=held"


def test_home_warns_of_the_fallback_scanner(signed_in: SignIn, olive: Person) -> None:
    page = signed_in(olive, second_factor=True).get(HOME).content.decode()

    assert "embedded fallback" in page


def test_queue_shows_recipients_by_status(signed_in: SignIn, olive: Person) -> None:
    make_recipient("waits@firm.example.secure.example")
    make_recipient("held@firm.example.secure.example", status="held", hold="operator")
    client = signed_in(olive, second_factor=True)

    waiting = client.get("/admin/queue/").content.decode()
    held = client.get("/admin/queue/?status=held").content.decode()

    assert "waits@firm" in waiting and "held@firm" not in waiting
    assert "held@firm" in held and "waits@firm" not in held


def test_trace_finds_by_reference_and_by_recipient(
    signed_in: SignIn, olive: Person
) -> None:
    for reference, address in (("R1", "a@firm.example"), ("R2", "b@firm.example")):
        Event.objects.create(
            reference=reference, recipient=address, kind="delivered", at=timezone.now()
        )
    client = signed_in(olive, second_factor=True)

    def found(query: str) -> list[str]:
        [(section, _)] = client.get(f"/admin/trace/{query}").context["sections"]
        return [row[-1].text for row in section.table.rows]

    assert found("") == ["R2", "R1"]
    assert found("?q=R1") == ["R1"]
    assert found("?q=B@Firm.example") == ["R2"]
    assert found("?kind=failed") == []


def test_quarantine_names_what_was_found(
    signed_in: SignIn, olive: Person, northfield
) -> None:
    QuarantinedMessage.objects.create(
        reference="R1",
        signature="Eicar-Test",
        scanner="clamd",
        organisation_id=northfield.pk,
        size=68,
        digest="0" * 64,
        path="x",
    )

    page = signed_in(olive, second_factor=True).get("/admin/quarantine/")

    assert "Eicar-Test" in page.content.decode()
    assert "Northfield Court" in page.content.decode()


@pytest.mark.parametrize(
    "path", ["/admin/queue/", "/admin/trace/", "/admin/quarantine/", "/admin/audit/"]
)
def test_list_asks_as_much_for_many_as_for_few(
    signed_in: SignIn, auditor: Person, django_assert_max_num_queries, path: str
) -> None:
    for number in range(60):
        make_recipient(f"p{number}@firm.example")
        Event.objects.create(reference=f"R{number}", kind="failed", at=timezone.now())
        record("tested", auditor, by=auditor)
        QuarantinedMessage.objects.create(
            reference=f"R{number}", signature="s", size=1, digest="0", path="x"
        )
    client = signed_in(auditor, second_factor=True)

    with django_assert_max_num_queries(22):
        assert client.get(path).status_code == 200


def test_audit_finds_by_event_and_person(signed_in: SignIn, auditor: Person) -> None:
    record("thing.opened", auditor, by=None)
    record("thing.closed", auditor, by=auditor)
    client = signed_in(auditor, second_factor=True)

    def found(query: str) -> list[str]:
        rows = client.get(f"/admin/audit/?q={query}").context["rows"]
        return [row.event for row, _ in rows]

    assert found("closed") == ["thing.closed"]
    assert found("postern") == ["thing.opened"]


def test_audit_trail_is_verified(signed_in: SignIn, auditor: Person) -> None:
    record("thing.opened", auditor, by=auditor)
    client = signed_in(auditor, second_factor=True)

    page = client.post("/admin/audit/verify/", follow=True)

    assert "follow from one another" in page.content.decode()


def test_a_changed_entry_shows(signed_in: SignIn, auditor: Person) -> None:
    entry = record("thing.opened", auditor, by=auditor)
    Entry.objects.filter(pk=entry.pk).update(event="thing.closed")
    client = signed_in(auditor, second_factor=True)

    page = client.post("/admin/audit/verify/", follow=True)

    assert f"Entry {entry.pk} (thing.closed" in page.content.decode()


def test_only_who_reads_the_trail_verifies_it(signed_in: SignIn, olive: Person) -> None:
    client = signed_in(olive, second_factor=True)

    assert client.post("/admin/audit/verify/").status_code == 403
