from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.audit.models import Entry as AuditEntry
from engine.mail.composer import Attachment as File
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from portal.helpdesk import attachments
from portal.helpdesk.actions import canned_replies, merge_tickets, tickets
from portal.helpdesk.models import CannedReply, Ticket
from portal.helpdesk.sla import TARGETS, Clock
from portal.helpdesk.status import (
    TRANSITIONS,
    Category,
    EntryKind,
    Priority,
    Status,
)
from portal.ui import helpdesk_hours
from tests.engine.antivirus.specimens import EICAR, gzipped
from tests.portal.helpdesk.conftest import OpenTicket


def answer(ticket: Ticket, agent: Person, **over: object) -> None:
    seen = ticket.entries.latest("pk").pk
    fields = {"status": Status.WAITING_FOR_REQUESTER, "seen": seen, "by": agent}
    tickets.answer(ticket, "Try again.", **(fields | over))
    ticket.refresh_from_db()


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("event", flat=True))


def test_a_ticket_opens_with_its_account_state_and_a_notice(
    open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)

    kinds = [entry.kind for entry in ticket.entries.all()]
    assert kinds == [EntryKind.REQUEST, EntryKind.NOTE, EntryKind.NOTICE]
    assert "Account: Active" in ticket.entries.get(kind=EntryKind.NOTE).text
    assert ticket.number in ticket.entries.get(kind=EntryKind.NOTICE).text
    assert events() == ["ticket.opened"]


def test_an_answer_gives_the_ticket_an_owner_and_stops_the_clock(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)

    answer(ticket, hugh)

    assert (ticket.owner, ticket.due_at) == (hugh, None)
    assert ticket.first_answered_at is not None
    assert events()[1:] == ["ticket.answered", "ticket.moved"]


def test_an_answer_to_what_was_not_read_is_refused(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    seen = ticket.entries.latest("pk").pk
    tickets.add_request(ticket, "Never mind.", by=bob)

    with pytest.raises(PolicyError, match="while you were writing"):
        answer(ticket, hugh, seen=seen)


def test_time_spent_waiting_for_the_requester_moves_the_target(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    answer(ticket, hugh)
    before = ticket.solve_due_at
    week_ago = timezone.now() - timedelta(days=7)
    Ticket.objects.update(stopped_at=week_ago)

    tickets.add_request(ticket, "Here it is.", by=bob)

    ticket.refresh_from_db()
    waited = helpdesk_hours.working_time(week_ago, timezone.now())
    assert helpdesk_hours.working_time(before, ticket.due_at) >= waited - timedelta(
        minutes=2
    )


def test_the_priority_sets_the_target(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)

    tickets.classify(
        ticket, priority=Priority.URGENT, category=Category.SIGN_IN, by=hugh
    )

    ticket.refresh_from_db()
    allowed = helpdesk_hours.working_time(ticket.created_at, ticket.due_at)
    assert allowed == TARGETS[Priority.URGENT].first_answer


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (timedelta(hours=-1), Clock.BREACHED),
        (timedelta(minutes=1), Clock.WARNING),
        (timedelta(days=30), Clock.DUE),
        (None, Clock.STOPPED),
    ],
)
def test_the_clock_says_how_a_ticket_stands(
    left: timedelta | None, state: Clock
) -> None:
    ticket = Ticket(due_at=None if left is None else timezone.now() + left)

    assert ticket.clock == state


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_a_ticket_moves_only_as_the_table_says(
    open_ticket: OpenTicket, bob: Person, hugh: Person, before: Status, after: Status
) -> None:
    ticket = open_ticket(bob)
    Ticket.objects.update(status=before)

    if after in TRANSITIONS[before]:
        tickets.move(ticket, after, by=hugh)
    else:
        with pytest.raises(PolicyError):
            tickets.move(ticket, after, by=hugh)

    ticket.refresh_from_db()
    assert ticket.status == (after if after in TRANSITIONS[before] else before)
    if after in TRANSITIONS[before]:
        assert (ticket.solved_at is not None) == after.is_over


def test_only_an_agent_can_own_a_ticket(
    open_ticket: OpenTicket, bob: Person, hugh: Person, olive: Person
) -> None:
    ticket = open_ticket(bob)

    with pytest.raises(PolicyError, match="not a helpdesk agent"):
        tickets.assign(ticket, olive, by=hugh)
    tickets.assign(ticket, hugh, by=hugh)

    ticket.refresh_from_db()
    assert ticket.owner == hugh


def test_merging_moves_everything_and_tells_the_requester(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    first, second = open_ticket(bob), open_ticket(bob, text="And another thing.")

    merge_tickets.merge(second, into=first, by=hugh)

    second.refresh_from_db()
    assert (second.status, second.merged_into) == (Status.CLOSED, first)
    assert "And another thing." in [entry.text for entry in first.entries.all()]
    notice = first.entries.filter(kind=EntryKind.NOTICE).latest("pk")
    assert second.number in notice.text and notice.is_outgoing


def test_an_answer_counts_for_the_ticket_that_it_is_merged_into(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    first, second = open_ticket(bob), open_ticket(bob)
    seen = second.entries.latest("pk").pk
    tickets.answer(second, "Like so.", status=Status.OPEN, seen=seen, by=hugh)

    merge_tickets.merge(second, into=first, by=hugh)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.first_answered_at == second.first_answered_at
    assert first.first_answer_minutes is not None
    assert first.due_at == first.solve_due_at


def test_tickets_of_two_people_are_never_merged(
    open_ticket: OpenTicket, alice: Person, bob: Person, hugh: Person
) -> None:
    with pytest.raises(PolicyError, match="different requesters"):
        merge_tickets.merge(open_ticket(alice), into=open_ticket(bob), by=hugh)


def test_a_closed_ticket_takes_no_more(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    tickets.move(ticket, Status.CLOSED, by=hugh)

    with pytest.raises(PolicyError, match="is closed"):
        tickets.add_request(ticket, "One more thing.", by=bob)


def test_a_server_user_without_an_account_belongs_to_their_organisation(
    open_ticket: OpenTicket, bob: Person, firm: Organisation
) -> None:
    ticket = open_ticket(bob, person=None, address="jane@firm.example.secure.example")

    assert ticket.organisation == firm


def test_an_unconfirmed_address_is_nobodys(
    open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob, person=None, is_confirmed=False)

    assert (ticket.requester, ticket.organisation) == (None, None)
    tickets.add_request(ticket, "It is me.", by=None)
    ticket.refresh_from_db()
    assert (ticket.requester, ticket.organisation) == (bob, bob.organisation)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "why"),
    [
        (File("run.exe", "application/octet-stream", b"MZ"), "kind"),
        (File("big.pdf", "application/pdf", b"x" * (20 * 1024 * 1024 + 1)), "20 MB"),
    ],
)
def test_a_file_that_may_not_travel_is_refused(file: File, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        attachments.scan([file], by=None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data", [EICAR, gzipped(EICAR, name="a\r\n\r\nb")], ids=["plain", "hidden"]
)
def test_an_infected_file_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError, match="virus scanner found"):
        attachments.scan([File("notes.txt", "text/plain", data)], by=None)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\r\nb", "", "...", "x" * 500])
def test_a_file_name_is_made_harmless(name: str) -> None:
    safe = attachments.safe_name(name)

    assert safe and len(safe) <= 200
    assert not set(safe) & set("/\\\r\n")


def test_a_canned_reply_is_filled_for_the_ticket(
    open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    reply = canned_replies.save(
        CannedReply(),
        title="Hello",
        category=Category.OTHER,
        text="Dear {name}, about {number}. {agent}",
        by=hugh,
    )
    ticket = open_ticket(bob)

    assert (
        canned_replies.fill_in(reply, ticket, hugh)
        == f"Dear Bob, about {ticket.number}. Hugh"
    )


def test_a_canned_reply_with_an_unknown_variable_is_refused(hugh: Person) -> None:
    with pytest.raises(PolicyError, match=r"\{nmae\} is not a variable"):
        canned_replies.save(
            CannedReply(), title="x", category=Category.OTHER, text="{nmae}", by=hugh
        )
