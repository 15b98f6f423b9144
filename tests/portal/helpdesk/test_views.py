from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.registry.models import Mailbox, Person
from engine.storage.models import Content
from portal.helpdesk import rate_limits, ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.models import Attachment, Ticket
from portal.helpdesk.status import EntryKind, Source, Status
from tests.engine.antivirus import specimens
from tests.engine.antivirus.specimens import EICAR
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket

QUESTION = {
    "category": "message",
    "subject": "My message came back",
    "text": "I wrote to Jane.",
}
STRANGER = QUESTION | {"name": "Sam Smith", "address": "sam@home.example", "phone": ""}


def test_a_member_asks_and_follows(
    as_bob: Client, helpdesk: Mailbox, bob: Person
) -> None:
    screen = SimpleUploadedFile("Screen.png", b"\x89PNG", "image/png")

    page = as_bob.post(
        reverse("helpdesk:new"), QUESTION | {"attachments": [screen]}, follow=True
    )

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.source) == (bob, Source.FORM)
    assert ticket.number in page.content.decode()
    file = Attachment.objects.get()
    data = as_bob.get(reverse("helpdesk:file", args=[ticket.pk, file.pk]))
    assert data.content == b"\x89PNG"
    assert data["Content-Type"] == "application/octet-stream"
    listed = as_bob.get(reverse("helpdesk:index")).content.decode()
    assert "My message came back" in listed


def test_the_requester_never_sees_notes(
    as_bob: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    tickets.note(ticket, "A difficult one.", by=hugh)

    page = as_bob.get(reverse("helpdesk:ticket", args=[ticket.pk])).content.decode()

    assert "I wrote to Jane" in page
    assert "difficult" not in page and "when the ticket was opened" not in page


@pytest.mark.parametrize("who", ["alice", "charlie", "hugh"])
def test_nobody_else_sees_a_ticket(
    request: pytest.FixtureRequest,
    signed_in: SignIn,
    open_ticket: OpenTicket,
    bob: Person,
    who: str,
) -> None:
    ticket = open_ticket(bob)
    file = Attachment.objects.create(
        entry=ticket.entries.first(),
        name="x",
        content_type="x/y",
        size=1,
        content=_content(),
    )
    client = signed_in(request.getfixturevalue(who), second_factor=True)

    for url in (
        reverse("helpdesk:ticket", args=[ticket.pk]),
        reverse("helpdesk:file", args=[ticket.pk, file.pk]),
    ):
        assert client.get(url).status_code == 404
        assert client.post(url, {"text": "Mine."}).status_code in (404, 405)
    moved = client.post(reverse("helpdesk:move", args=[ticket.pk]), {"do": "close"})
    assert moved.status_code == 404
    assert "came back" not in client.get(reverse("helpdesk:index")).content.decode()


def _content() -> Content:
    return Content.objects.create(size=2, body_digest="", header=b"\r\n", body=b"")


def test_a_file_of_a_note_is_not_the_requesters(
    as_bob: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    note = tickets.note(ticket, "See this.", by=hugh)
    file = Attachment.objects.create(
        entry=note, name="x", content_type="x/y", size=1, content=_content()
    )

    url = reverse("helpdesk:file", args=[ticket.pk, file.pk])

    assert as_bob.get(url).status_code == 404


def test_the_requester_adds_reopens_and_closes(
    as_bob: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    url = reverse("helpdesk:ticket", args=[ticket.pk])
    move = reverse("helpdesk:move", args=[ticket.pk])

    def status() -> str:
        ticket.refresh_from_db()
        return ticket.status

    as_bob.post(url, {"text": "It happened again."})
    assert status() == Status.NEW
    tickets.move(ticket, Status.SOLVED, by=hugh)
    as_bob.post(move, {"do": "reopen"})
    assert status() == Status.OPEN
    as_bob.post(move, {"do": "close"})
    assert status() == Status.CLOSED
    page = as_bob.post(url, {"text": "Again?"})
    assert "is closed" in page.content.decode()


def test_a_list_asks_as_much_for_many_as_for_few(
    as_bob: Client, open_ticket: OpenTicket, bob: Person, django_assert_max_num_queries
) -> None:
    for _ in range(30):
        open_ticket(bob)

    with django_assert_max_num_queries(8):
        page = as_bob.get(reverse("helpdesk:index"))

    older = as_bob.get(reverse("helpdesk:index") + f"?before={page.context['older']}")
    assert len(page.context["tickets"]) == 25
    assert len(older.context["tickets"]) == 5


def test_a_form_with_mistakes_says_which(as_bob: Client, helpdesk: Mailbox) -> None:
    page = as_bob.post(reverse("helpdesk:new"), {"subject": ""}).content.decode()

    assert "There is a problem" in page
    assert "Select what it is about" in page
    assert not Ticket.objects.exists()


def test_a_program_under_another_name_is_refused(
    as_bob: Client, helpdesk: Mailbox
) -> None:
    upload = SimpleUploadedFile("notes.txt", specimens.program())

    page = as_bob.post(reverse("helpdesk:new"), QUESTION | {"attachments": upload})

    assert "notes.txt was not added" in page.content.decode()
    assert not Ticket.objects.exists()


def test_an_infected_upload_is_refused(as_bob: Client, helpdesk: Mailbox) -> None:
    upload = SimpleUploadedFile("notes.txt", EICAR)

    page = as_bob.post(reverse("helpdesk:new"), QUESTION | {"attachments": upload})

    assert "virus scanner found" in page.content.decode()
    assert not Ticket.objects.exists()
    kept = QuarantinedMessage.objects.get()
    assert kept.sender == "bob@northfield.secure.example"


@pytest.mark.parametrize(
    "address", ["sam@home.example", "bob@northfield.secure.example"]
)
def test_a_stranger_gets_the_same_answer_for_any_address(
    client: Client, helpdesk: Mailbox, bob: Person, address: str
) -> None:
    sent = client.post(reverse("helpdesk:ask"), STRANGER | {"address": address})

    assert sent.url == reverse("helpdesk:asked")
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.is_confirmed) == (None, False)


@pytest.mark.parametrize(
    ("address", "way_back"),
    [
        ("bob@northfield.secure.example", "reply to this message"),
        ("sam@home.example", "open the link below"),
    ],
)
def test_the_notice_tells_a_way_back_that_works(
    client: Client, helpdesk: Mailbox, bob: Person, address: str, way_back: str
) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER | {"address": address})

    notice = Ticket.objects.get().entries.get(kind=EntryKind.NOTICE)
    assert f"To add something, {way_back}" in notice.text


def test_a_stranger_asks_no_more_than_a_few_times(
    client: Client, helpdesk: Mailbox
) -> None:
    for _ in range(rate_limits.MAX_PER_ADDRESS + 1):
        page = client.post(reverse("helpdesk:ask"), STRANGER)

    assert rate_limits.REFUSAL in page.content.decode()
    assert Ticket.objects.count() == rate_limits.MAX_PER_ADDRESS


def test_one_peer_asks_no_more_than_a_few_times(
    client: Client, helpdesk: Mailbox
) -> None:
    for number in range(rate_limits.MAX_PER_PEER + 1):
        sent = STRANGER | {"address": f"sam{number}@home.example"}
        client.post(reverse("helpdesk:ask"), sent)

    assert Ticket.objects.count() == rate_limits.MAX_PER_PEER


def test_the_link_shows_the_ticket_and_takes_an_answer(
    client: Client, helpdesk: Mailbox
) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER)
    ticket = Ticket.objects.get()
    path = ticket_links.follow_url(ticket).partition("/help/")[2]

    page = client.get(f"/help/{path}")
    ticket.refresh_from_db()
    assert not ticket.is_confirmed
    client.post(f"/help/{path}", {"text": "And also this."})

    assert "I wrote to Jane." in page.content.decode()
    assert page["Referrer-Policy"] == "same-origin"
    ticket.refresh_from_db()
    assert ticket.is_confirmed
    assert ticket.entries.filter(kind=EntryKind.REQUEST).count() == 2


def ended_link(ticket: Ticket) -> str:
    with time_machine.travel(timezone.now() - timedelta(days=31)):
        return ticket_links.follow_url(ticket).removeprefix(settings.POSTERN.site_url)


def test_a_link_ends_and_says_how_to_get_another(
    client: Client, helpdesk: Mailbox
) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER)
    path = ended_link(Ticket.objects.get())

    page = client.get(path)

    assert page.status_code == 410
    assert "I wrote to Jane." not in page.content.decode()
    assert "Send me a new link" in page.content.decode()
    assert client.get(f"{path}files/1/").status_code == 410


def test_another_goes_to_the_address_of_before(
    client: Client, helpdesk: Mailbox
) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER)
    ticket = Ticket.objects.get()
    path = ended_link(ticket)

    page = client.post(path, {"text": "And also this."}, follow=True)

    assert "A new link is on its way" in page.content.decode()
    notice = ticket.entries.filter(kind=EntryKind.NOTICE).latest("pk")
    assert "You asked for a new link" in notice.text
    assert notice.is_outgoing
    assert ticket.entries.filter(kind=EntryKind.REQUEST).count() == 1


def test_few_are_sent_within_an_hour(client: Client, helpdesk: Mailbox) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER)
    ticket = Ticket.objects.get()
    path = ended_link(ticket)
    before = ticket.entries.count()

    for _ in range(rate_limits.MAX_LINKS_PER_TICKET + 2):
        page = client.post(path)

    assert "We have sent you several links" in page.content.decode()
    assert ticket.entries.count() == before + rate_limits.MAX_LINKS_PER_TICKET


def test_a_forged_link_leads_nowhere(client: Client, helpdesk: Mailbox) -> None:
    assert client.get(reverse("helpdesk:follow", args=["made-up"])).status_code == 404


@pytest.mark.parametrize("name", ["Postern Helpdesk", "IT Support", "Bob\u202eylloB"])
def test_a_stranger_asks_under_no_name_of_the_service(
    client: Client, helpdesk: Mailbox, name: str
) -> None:
    page = client.post(reverse("helpdesk:ask"), STRANGER | {"name": name})

    assert "There is a problem" in page.content.decode()
    assert not Ticket.objects.exists()


def test_a_stranger_may_be_a_members_namesake(
    client: Client, helpdesk: Mailbox, bob: Person
) -> None:
    client.post(reverse("helpdesk:ask"), STRANGER | {"name": bob.name})

    assert Ticket.objects.get().requester_name == bob.name
