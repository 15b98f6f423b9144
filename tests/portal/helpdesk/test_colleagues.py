"""A colleague's answer to the requester's own mail joins the requester's ticket."""

from __future__ import annotations

import pytest
from django.urls import reverse

from engine.registry.models import Mailbox, Organisation, Person
from portal.helpdesk import ticket_links
from portal.helpdesk.actions import tickets
from portal.helpdesk.intake import collect
from portal.helpdesk.models import CollectedMessage, Entry, Ticket
from portal.helpdesk.status import EntryKind, Outcome, Status
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.helpdesk.conftest import OpenTicket, deliver_mail

ASKED = "<asked@northfield.example>"


@pytest.fixture
def asked(helpdesk: Mailbox, bob: Person) -> Ticket:
    """Bob's question by mail."""
    deliver_mail(helpdesk, bob.address, message_id=ASKED)
    collect.collect()
    return Ticket.objects.get()


def requests_on(ticket: Ticket) -> list[Entry]:
    return list(ticket.entries.filter(kind=EntryKind.REQUEST))


def test_a_colleague_who_answers_the_requesters_mail_joins_the_ticket(
    helpdesk: Mailbox, asked: Ticket, alice: Person
) -> None:
    text = "Mine too.\n\nOn 1 May, Bob wrote:\n> My code is refused."
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED, text=text)

    collect.collect()

    assert Ticket.objects.count() == 1
    added = requests_on(asked)[-1]
    assert (added.author, added.author_name) == (alice, alice.name)
    assert added.author_address == alice.address
    # It is no reply to a letter of ours, so nothing is cut.
    assert added.text == text
    asked.refresh_from_db()
    assert asked.requester_address != alice.address


def test_both_mails_may_wait_in_the_mailbox(
    helpdesk: Mailbox, bob: Person, alice: Person
) -> None:
    deliver_mail(helpdesk, bob.address, message_id=ASKED)
    deliver_mail(helpdesk, alice.address, references=f"<x@y.example> {ASKED}")

    collect.collect()

    assert len(requests_on(Ticket.objects.get())) == 2


def test_the_requester_who_answers_their_own_mail_adds_to_the_ticket(
    helpdesk: Mailbox, asked: Ticket, bob: Person
) -> None:
    deliver_mail(helpdesk, bob.address, in_reply_to=ASKED, text="I forgot this.")

    collect.collect()

    assert [one.text for one in requests_on(asked)][1:] == ["I forgot this."]


def test_colleagues_on_a_members_own_server_join(
    helpdesk: Mailbox, firm: Organisation, firm_connection: object
) -> None:
    deliver_mail(helpdesk, "jane@firm.example.secure.example", message_id=ASKED)
    deliver_mail(helpdesk, "finn@firm.example.secure.example", in_reply_to=ASKED)

    collect.collect()

    first, second = requests_on(Ticket.objects.get(organisation=firm))
    assert first.author_address == "jane@firm.example.secure.example"
    assert second.author_address == "finn@firm.example.secure.example"


def test_a_neighbour_joins_nothing_and_sees_nothing(
    helpdesk: Mailbox, asked: Ticket, charlie: Person, signed_in: SignIn
) -> None:
    deliver_mail(helpdesk, charlie.address, in_reply_to=ASKED)
    deliver_mail(
        helpdesk,
        charlie.address,
        in_reply_to=ASKED,
        to=ticket_links.reply_address(asked),
        subject=f"Re: [{asked.number}]",
    )

    collect.collect()

    assert len(requests_on(asked)) == 1
    theirs = Ticket.objects.filter(organisation=charlie.organisation)
    assert theirs.count() == 2
    page = signed_in(charlie, second_factor=True).get(
        reverse("helpdesk:ticket", args=[asked.pk])
    )
    assert page.status_code == 404


def test_a_neighbours_copy_of_the_message_id_draws_no_colleague_away(
    helpdesk: Mailbox, asked: Ticket, charlie: Person, alice: Person
) -> None:
    for _ in range(collect.MAX_OPENED_PER_SENDER):
        deliver_mail(helpdesk, charlie.address, message_id=ASKED)
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED)

    collect.collect()

    assert len(requests_on(asked)) == 2


def test_a_stranger_without_an_organisation_joins_nothing(
    helpdesk: Mailbox, db: None
) -> None:
    for name in ("a", "b"):
        factories.make_person(f"{name}@secure.example", name=name)
    deliver_mail(helpdesk, "a@secure.example", message_id=ASKED)
    deliver_mail(helpdesk, "b@secure.example", in_reply_to=ASKED)

    collect.collect()

    assert Ticket.objects.count() == 2


def test_a_colleague_does_not_see_the_ticket(
    helpdesk: Mailbox, asked: Ticket, alice: Person, signed_in: SignIn
) -> None:
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED)
    collect.collect()

    page = signed_in(alice, second_factor=True).get(
        reverse("helpdesk:ticket", args=[asked.pk])
    )

    assert page.status_code == 404


def test_the_requester_reads_who_wrote(
    helpdesk: Mailbox, asked: Ticket, alice: Person, bob: Person, signed_in: SignIn
) -> None:
    # The same display name does not make it the requester's own.
    Person.objects.filter(pk=alice.pk).update(name=bob.name)
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED)
    collect.collect()

    page = signed_in(bob).get(reverse("helpdesk:ticket", args=[asked.pk]))

    markup = page.content.decode().replace("<wbr>", "")
    assert markup.count("You wrote") == 1
    assert f"{bob.name} wrote" in markup
    assert alice.address in markup


def test_agents_read_who_wrote_and_who_gets_the_reply(
    helpdesk: Mailbox, asked: Ticket, alice: Person, hugh: Person, signed_in: SignIn
) -> None:
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED)
    collect.collect()

    page = signed_in(hugh, second_factor=True).get(
        reverse("desk:ticket", args=[asked.pk])
    )

    markup = page.content.decode()
    assert markup.count("From the requester") == 1
    assert markup.count("From a colleague of the requester") == 1
    assert f"It does not go to <bdi>{alice.address}</bdi>" in markup


def test_a_colleague_of_who_asked_by_form_opens_a_ticket(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person, alice: Person
) -> None:
    ticket = open_ticket(bob)
    notice = ticket.entries.get(kind=EntryKind.NOTICE)
    deliver_mail(helpdesk, alice.address, in_reply_to=notice.message_id)

    collect.collect()

    assert len(requests_on(ticket)) == 1


def test_a_colleagues_mail_to_a_closed_ticket_is_a_new_question(
    helpdesk: Mailbox, asked: Ticket, alice: Person, hugh: Person
) -> None:
    tickets.move(asked, Status.CLOSED, by=hugh)
    deliver_mail(helpdesk, alice.address, in_reply_to=ASKED)

    collect.collect()

    assert CollectedMessage.objects.latest("pk").outcome == Outcome.OPENED
    assert Ticket.objects.filter(requester=alice).count() == 1
