from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.registry.models import Mailbox, Person, RoleName
from portal.console.helpdesk.statistics import bars
from portal.helpdesk.actions import tickets
from portal.helpdesk.models import CannedReply, CollectedMessage, Ticket, Viewing
from portal.helpdesk.outgoing import reply_message
from portal.helpdesk.status import Category, EntryKind, Outcome, Source, Status
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket

READ = ["index", "mail", "canned", "reports", "csv"]
ACT = ["answer", "note", "change", "take", "merge", "writing"]
READERS = {RoleName.HELPDESK_AGENT, RoleName.AUDITOR}
STAFF = [role for role in RoleName if role not in ("member", "administrator")]


def url(name: str, ticket: Ticket | None = None) -> str:
    return reverse(f"desk:{name}", args=[ticket.pk] if ticket else [])


def answer(staff_client: Client, ticket: Ticket, **over: object) -> object:
    fields = {
        "answer-text": "Try again.",
        "answer-status": "solved",
        "answer-seen": ticket.entries.latest("pk").pk,
    }
    return staff_client.post(url("answer", ticket), fields | over, follow=True)


@pytest.mark.parametrize("role", STAFF)
def test_the_desk_opens_to_agents_and_auditors(
    signed_in: SignIn, open_ticket: OpenTicket, bob: Person, role: RoleName
) -> None:
    ticket = open_ticket(bob)
    person = factories.make_person("sam@secure.example")
    factories.make_staff(person, role)
    client = signed_in(person, second_factor=True)

    opened = {client.get(url(name)).status_code == 200 for name in READ}
    opened.add(client.get(url("ticket", ticket)).status_code == 200)
    typed = client.get(url("call")).status_code == 200
    before = ticket.entries.count()
    for name in ACT:
        client.post(url(name, ticket), {"note-text": "Mine."})

    is_agent = role == RoleName.HELPDESK_AGENT
    assert opened == {role in READERS}
    assert typed == is_agent
    assert (ticket.entries.count() > before) == is_agent
    assert Viewing.objects.exists() == is_agent


def test_the_desk_is_closed_to_administrators_and_without_second_factor(
    signed_in: SignIn, open_ticket: OpenTicket, alice: Person, hugh: Person
) -> None:
    ticket = open_ticket(alice)

    assert signed_in(hugh).get(url("ticket", ticket)).status_code == 302
    administrator = signed_in(alice, second_factor=True)
    for name in READ:
        assert administrator.get(url(name)).status_code != 200
    assert administrator.get(url("ticket", ticket)).status_code != 200


def test_an_auditor_finds_nothing_to_press(
    signed_in: SignIn, open_ticket: OpenTicket, bob: Person
) -> None:
    ada = factories.make_person("ada@secure.example")
    factories.make_staff(ada, RoleName.AUDITOR)

    page = signed_in(ada, second_factor=True).get(url("ticket", open_ticket(bob)))

    assert "Send reply" not in page.content.decode()
    assert not Viewing.objects.exists()


def test_the_queue_is_cut_by_whose_and_how_late(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    mine, late, solved = open_ticket(bob), open_ticket(bob), open_ticket(bob)
    tickets.assign(mine, hugh, by=hugh)
    tickets.move(solved, Status.SOLVED, by=hugh)
    past = timezone.now() - timedelta(days=1)
    Ticket.objects.filter(pk=late.pk).update(due_at=past)

    def found(view: str) -> list[Ticket]:
        return staff_client.get(url("index") + f"?view={view}").context["tickets"]

    assert found("mine") == [mine]
    assert found("unassigned") == [late]
    assert found("breaching") == [late]
    assert found("unfinished") == [late, mine]
    assert found("solved") == [solved]
    assert found("nonsense") == [late, mine]


def test_the_queue_asks_as_much_for_many_as_for_few(
    staff_client: Client,
    open_ticket: OpenTicket,
    bob: Person,
    django_assert_max_num_queries,
) -> None:
    for _ in range(55):
        open_ticket(bob)

    with django_assert_max_num_queries(22):
        page = staff_client.get(url("index"))

    older = staff_client.get(url("index") + f"?before={page.context['older']}")
    assert len(page.context["tickets"]) == 50
    assert len(older.context["tickets"]) == 5


def test_a_ticket_asks_as_much_for_many_entries_as_for_few(
    staff_client: Client,
    open_ticket: OpenTicket,
    bob: Person,
    django_assert_max_num_queries,
) -> None:
    ticket = open_ticket(bob)
    for number in range(20):
        tickets.add_request(ticket, f"And {number}.", by=bob)

    with django_assert_max_num_queries(45):
        assert staff_client.get(url("ticket", ticket)).status_code == 200


def test_an_agent_answers_and_sees_it_delivered(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)

    answer(staff_client, ticket)
    reply_message.send(ticket.entries.get(kind=EntryKind.REPLY).pk)
    page = staff_client.get(url("ticket", ticket)).content.decode()

    ticket.refresh_from_db()
    assert ticket.status == Status.SOLVED
    assert "Delivered" in page


def test_an_answer_that_crosses_another_entry_is_kept_and_explained(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    seen = ticket.entries.latest("pk").pk
    tickets.add_request(ticket, "Never mind.", by=bob)

    page = answer(staff_client, ticket, **{"answer-seen": seen}).content.decode()

    assert "while you were writing" in page
    assert "send your reply again" in page
    assert not ticket.entries.filter(kind=EntryKind.REPLY).exists()


def test_a_colleague_is_seen(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, signed_in: SignIn
) -> None:
    ticket = open_ticket(bob)
    ivy = factories.make_person("ivy@secure.example", name="Ivy")
    factories.make_staff(ivy, RoleName.HELPDESK_AGENT)
    staff_client.post(url("writing", ticket))

    page = signed_in(ivy, second_factor=True).get(url("ticket", ticket))

    assert "<strong>Hugh</strong> is writing a reply." in page.content.decode()


def test_the_panel_shows_the_account_and_never_a_subject(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    reply_message.send(ticket.entries.get(kind=EntryKind.NOTICE).pk)
    bob.is_active = False
    bob.save()

    panel = staff_client.get(url("ticket", ticket)).context["panel"]

    doubts = {fact.label for fact in panel.facts if fact.is_doubt}
    assert doubts == {"Account", "Everyday address", "Last sign-in"}
    assert "Delivered" in [line.what for line in panel.received]


def test_the_panel_of_an_unconfirmed_address_tells_nothing_of_its_owner(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    reply_message.send(open_ticket(bob).entries.get(kind=EntryKind.NOTICE).pk)
    ticket = open_ticket(bob, person=None, is_confirmed=False)

    panel = staff_client.get(url("ticket", ticket)).context["panel"]

    assert (panel.facts, panel.received, panel.sent) == ([], [], [])


def test_an_agent_changes_notes_takes_and_merges(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    first, second = open_ticket(bob), open_ticket(bob)

    staff_client.post(url("take", first))
    staff_client.post(url("note", first), {"note-text": "Asked the network team."})
    changed = {
        "change-status": "waiting_for_others",
        "change-owner": hugh.pk,
        "change-priority": "high",
        "change-category": "connection",
    }
    staff_client.post(url("change", first), changed)
    staff_client.post(url("merge", second), {"merge-into": first.number})

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.owner, first.priority, first.category) == (hugh, "high", "connection")
    assert first.status == Status.WAITING_FOR_OTHERS
    assert second.merged_into == first


def test_a_merge_that_is_refused_says_why(
    staff_client: Client, open_ticket: OpenTicket, alice: Person, bob: Person
) -> None:
    page = staff_client.post(
        url("merge", open_ticket(alice)), {"merge-into": open_ticket(bob).number}
    )

    assert "different requesters" in page.content.decode()


def test_a_call_is_typed_in_for_whoever_is_found(
    staff_client: Client, helpdesk: Mailbox, bob: Person
) -> None:
    found = staff_client.get(url("call") + "?q=BOB").context["found"]
    form = staff_client.get(url("call") + f"?person={bob.pk}").context["form"]
    asked = form.initial | {
        "subject": "Locked out",
        "text": "New phone.",
        "category": "sign_in",
        "priority": "high",
    }
    staff_client.post(url("call"), asked)

    assert list(found) == [bob]
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.source) == (bob, Source.CALL)


def test_canned_replies_are_kept_filled_and_removed(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    fields = {"title": "Codes", "category": "sign_in", "text": "Dear {name}"}
    staff_client.post(url("canned_new"), fields | {"text": "{oops}"})
    assert not CannedReply.objects.exists()
    staff_client.post(url("canned_new"), fields)
    reply = CannedReply.objects.get()

    fields = {"do": "canned", "canned": reply.pk, "answer-text": "Thank you."}
    page = staff_client.post(
        url("answer", open_ticket(bob)), fields | {"answer-status": "solved"}
    )
    staff_client.post(reverse("desk:canned_remove", args=[reply.pk]))

    assert page.context["answer_form"]["text"].value() == "Thank you.\n\nDear Bob"
    assert page.context["answer_form"]["status"].value() == "solved"
    assert not CannedReply.objects.exists()


def test_a_file_goes_with_the_answer(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    upload = SimpleUploadedFile("Steps.pdf", b"%PDF-1.7", "application/pdf")

    answer(staff_client, ticket, **{"answer-attachments": upload})

    reply = ticket.entries.get(kind=EntryKind.REPLY)
    file = reply.attachments.get()
    response = staff_client.get(reverse("desk:file", args=[ticket.pk, file.pk]))
    assert response.content == b"%PDF-1.7"


def test_mail_that_was_set_aside_is_seen(staff_client: Client, db: None) -> None:
    CollectedMessage.objects.create(
        stored_id=1, subject="Out of office", outcome=Outcome.IGNORED, reason="Robot"
    )

    assert "Out of office" in staff_client.get(url("mail")).content.decode()


def test_reports_count_by_week(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob, category=Category.SIGN_IN)
    tickets.move(ticket, Status.SOLVED, by=hugh)
    late = open_ticket(bob, category=Category.SIGN_IN)
    past = timezone.now() - timedelta(days=1)
    tickets.move(late, Status.SOLVED, by=hugh)
    Ticket.objects.filter(pk=late.pk).update(solve_due_at=past)

    context = staff_client.get(url("reports")).context
    week = context["weeks"][-1]
    lines = staff_client.get(url("csv")).content.decode().splitlines()

    assert (week.opened, week.solved, week.met_percent) == (2, 2, 50)
    assert context["categories"] == [("Signing in", 2)]
    assert len(lines) == 13
    assert lines[-1].startswith(f"{week.monday.isoformat()},2,2,")


def test_bars_are_scaled_to_the_largest() -> None:
    drawn = bars([("a", 0), ("b", 5), ("c", 10), ("d", None)])

    assert [bar.height for bar in drawn] == [0, 60, 120, 0]
    assert [bar.value for bar in drawn] == ["0", "5", "10", ""]


def test_half_of_the_targets_is_half_a_bar() -> None:
    assert bars([("a", 50)], full=100)[0].height == 60


def test_each_entry_shows_the_address_beside_the_name(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    """Another person may have the same name as the agent."""
    ticket = open_ticket(
        bob, person=None, name=hugh.name, address="x@home.example", is_confirmed=False
    )
    answer(staff_client, ticket)
    ticket.refresh_from_db()

    page = BeautifulSoup(staff_client.get(url("ticket", ticket)).content, "html.parser")
    listed = BeautifulSoup(
        staff_client.get(url("index") + "?view=solved").content, "html.parser"
    )

    heads = [
        [part.get_text() for part in head.find_all("bdi")]
        for head in page.select(".desk-entry__head")
    ]
    assert heads[0] == [hugh.name, "x@home.example"]
    assert heads[-1] == [hugh.name, hugh.address]
    assert "Address not confirmed" in listed.get_text()
    assert [one.get_text() for one in listed.select("tbody bdi")] == [
        hugh.name,
        "x@home.example",
    ]


def test_the_reply_says_where_it_goes(
    staff_client: Client, open_ticket: OpenTicket, bob: Person
) -> None:
    known = open_ticket(bob)
    unknown = open_ticket(
        bob, person=None, address="x@home.example", is_confirmed=False
    )

    pages = [
        staff_client.get(url("ticket", one)).content.decode()
        for one in (known, unknown)
    ]

    assert f"It goes to <bdi>{bob.address}</bdi>." in pages[0]
    assert "It goes to <bdi>x@home.example</bdi>. Anyone could have typed" in pages[1]


def test_agents_of_one_name_are_told_apart(
    staff_client: Client, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    other = factories.make_person("h2@secure.example", name=hugh.name)
    factories.make_staff(other, RoleName.HELPDESK_AGENT)
    for agent in (hugh, other):
        tickets.assign(open_ticket(bob), agent, by=hugh)

    listed = BeautifulSoup(
        staff_client.get(url("index")).content.replace(b"<wbr>", b""), "html.parser"
    )
    page = staff_client.get(url("ticket", Ticket.objects.first())).content.decode()

    owners = [one.get_text("|") for one in listed.select('[data-label="Owner"]')]
    assert owners == [f"{hugh.name}|{one.address}" for one in (other, hugh)]
    for agent in (hugh, other):
        assert f">{hugh.name} ({agent.address})</option>" in page
