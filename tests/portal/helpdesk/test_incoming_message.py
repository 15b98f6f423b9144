from __future__ import annotations

import pytest
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.mail.composer import Attachment
from engine.registry.models import Mailbox, Person
from engine.storage.models import FolderRole, Message
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.actions import merge_tickets, tickets
from portal.helpdesk.intake import collect, incoming_message, tasks, ticket_matching
from portal.helpdesk.models import CollectedMessage, Ticket
from portal.helpdesk.status import EntryKind, Outcome, Source, Status
from tests.portal.helpdesk.conftest import OpenTicket, deliver_mail


def requests_on(ticket: Ticket) -> list[str]:
    rows = ticket.entries.filter(kind=EntryKind.REQUEST)
    return list(rows.values_list("text", flat=True))


def last() -> CollectedMessage:
    return CollectedMessage.objects.latest("pk")


def test_a_message_opens_a_ticket(helpdesk: Mailbox, bob: Person) -> None:
    pdf = Attachment("Screen.pdf", "application/pdf", b"%PDF-1.7")
    deliver_mail(helpdesk, bob.address, attachments=[pdf])

    assert tasks.collect_mail() == 1

    ticket = Ticket.objects.get()
    assert (ticket.source, ticket.requester) == (Source.MAIL, bob)
    assert ticket.subject == "I cannot sign in"
    assert requests_on(ticket) == ["My code is refused."]
    kept = ticket.entries.get(kind=EntryKind.REQUEST).attachments.get()
    assert (kept.name, attachments.read(kept)) == ("Screen.pdf", b"%PDF-1.7")


def test_a_message_is_taken_once_and_kept_in_archive(
    helpdesk: Mailbox, bob: Person
) -> None:
    message = deliver_mail(helpdesk, bob.address)

    collect.collect()
    Message.objects.update(folder=helpdesk.folders.get(role=FolderRole.INBOX))
    collect.collect()

    assert Ticket.objects.count() == 1
    message.refresh_from_db()
    assert message.folder.role == FolderRole.ARCHIVE


def test_the_same_message_id_from_the_same_sender_is_one_question(
    helpdesk: Mailbox, bob: Person, charlie: Person
) -> None:
    for sender in (bob, bob, charlie):
        deliver_mail(helpdesk, sender.address, message_id="<same@northfield.example>")

    collect.collect()

    assert Ticket.objects.count() == 2


def test_what_a_crash_left_is_taken_in_the_next_run(
    helpdesk: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_mail(helpdesk, bob.address)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(collect.storage, "move", crash)
        collect.collect()
    assert not Ticket.objects.exists()
    collect.collect()

    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    "header",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X-Loop": "helpdesk"},
        {"List-Id": "<list.northfield>"},
    ],
)
def test_a_program_opens_no_ticket(
    helpdesk: Mailbox, bob: Person, header: dict[str, str]
) -> None:
    deliver_mail(helpdesk, bob.address, extra_headers=header)

    collect.collect()

    assert not Ticket.objects.exists()
    assert last().outcome == Outcome.IGNORED
    assert last().reason


def test_a_receipt_from_the_readers_own_address_opens_no_ticket(
    helpdesk: Mailbox, bob: Person
) -> None:
    raw = (
        f"From: {bob.address}\r\nTo: {helpdesk.address}\r\nSubject: Read: hello\r\n"
        "Content-Type: Multipart/Report; boundary=b;\r\n"
        " report-type=disposition-notification\r\n\r\n"
        "--b\r\n\r\nIt was displayed.\r\n--b--\r\n"
    )
    deliver_mail(helpdesk, bob.address, raw=raw.encode())

    collect.collect()

    assert not Ticket.objects.exists()
    assert last().reason == "A delivery notice or a receipt"


def test_a_bounce_opens_no_ticket(helpdesk: Mailbox, bob: Person) -> None:
    deliver_mail(helpdesk, bob.address, envelope_sender="")

    collect.collect()

    assert last().reason == "A delivery notice"


def test_the_helpdesk_does_not_ask_itself(helpdesk: Mailbox) -> None:
    deliver_mail(helpdesk, helpdesk.address)

    collect.collect()

    assert last().reason == "Our own message"


def test_no_sender_opens_tickets_without_end(helpdesk: Mailbox, bob: Person) -> None:
    for _ in range(collect.MAX_OPENED_PER_SENDER + 2):
        deliver_mail(helpdesk, bob.address)

    collect.collect()

    assert Ticket.objects.count() == collect.MAX_OPENED_PER_SENDER
    assert CollectedMessage.objects.filter(outcome=Outcome.IGNORED).count() == 2


def test_a_reply_to_the_signed_address_is_added(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    tickets.move(ticket, Status.WAITING_FOR_REQUESTER, by=hugh)
    text = "Yes, at 10:00.\n\nOn 1 May, Hugh wrote:\n> When was it?\n"
    deliver_mail(
        helpdesk, bob.address, to=ticket_links.reply_address(ticket), text=text
    )

    collect.collect()

    assert requests_on(ticket)[1:] == ["Yes, at 10:00."]
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN


def test_a_number_in_the_subject_is_enough_for_the_requester(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    deliver_mail(helpdesk, bob.address, subject=f"Re: [{ticket.number}] My message")

    collect.collect()

    assert len(requests_on(ticket)) == 2


def test_an_answer_to_our_own_message_is_added(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person
) -> None:
    ticket = open_ticket(bob)
    notice = ticket.entries.get(kind=EntryKind.NOTICE)
    deliver_mail(helpdesk, bob.address, in_reply_to=notice.message_id)

    collect.collect()

    assert len(requests_on(ticket)) == 2


def test_a_stranger_adds_nothing_by_number_address_or_message_id(
    helpdesk: Mailbox,
    open_ticket: OpenTicket,
    alice: Person,
    bob: Person,
    charlie: Person,
) -> None:
    ticket = open_ticket(bob)
    notice = ticket.entries.get(kind=EntryKind.NOTICE)
    for stranger in (alice, charlie):
        deliver_mail(helpdesk, stranger.address, subject=f"Re: [{ticket.number}]")
        deliver_mail(helpdesk, stranger.address, to=ticket_links.reply_address(ticket))
        deliver_mail(helpdesk, stranger.address, in_reply_to=notice.message_id)

    collect.collect()

    assert len(requests_on(ticket)) == 1
    assert Ticket.objects.exclude(pk=ticket.pk).filter(requester=bob).count() == 0
    assert Ticket.objects.count() == 7


def test_a_forged_address_proves_nothing(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person
) -> None:
    mine, other = open_ticket(bob), open_ticket(bob)
    forged = str(ticket_links.reply_address(mine)).replace(
        f"+{mine.pk}-", f"+{other.pk}-"
    )

    assert ticket_links.ticket_of_address(ticket_links.Address.parse(forged)) is None
    assert ticket_links.ticket_of_address(ticket_links.reply_address(mine)) == mine.pk


def test_a_reply_to_a_merged_ticket_follows_it(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    first, second = open_ticket(bob), open_ticket(bob)
    merge_tickets.merge(second, into=first, by=hugh)
    deliver_mail(
        helpdesk, bob.address, to=ticket_links.reply_address(second), text="More."
    )

    collect.collect()

    assert requests_on(first)[-1] == "More."


def test_a_reply_to_a_closed_ticket_is_a_new_question(
    helpdesk: Mailbox, open_ticket: OpenTicket, bob: Person, hugh: Person
) -> None:
    ticket = open_ticket(bob)
    tickets.move(ticket, Status.CLOSED, by=hugh)
    deliver_mail(helpdesk, bob.address, to=ticket_links.reply_address(ticket))

    collect.collect()

    assert Ticket.objects.count() == 2


def test_a_reply_to_a_ticket_that_is_closed_meanwhile_is_a_new_question(
    helpdesk: Mailbox,
    open_ticket: OpenTicket,
    bob: Person,
    hugh: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticket = open_ticket(bob)
    deliver_mail(helpdesk, bob.address, to=ticket_links.reply_address(ticket))
    match = ticket_matching.match

    def match_and_close(incoming: incoming_message.IncomingMessage) -> object:
        found = match(incoming)
        tickets.move(ticket, Status.CLOSED, by=hugh)
        return found

    monkeypatch.setattr(ticket_matching, "match", match_and_close)
    collect.collect()

    assert last().outcome == Outcome.OPENED
    assert requests_on(Ticket.objects.latest("pk")) == ["My code is refused."]


def test_a_member_of_a_server_organisation_needs_no_account(
    helpdesk: Mailbox, firm_connection: object, firm: object
) -> None:
    deliver_mail(helpdesk, "jane@firm.example.secure.example")

    collect.collect()

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.organisation) == (None, firm)


def test_a_run_asks_no_more_for_an_empty_inbox(
    helpdesk: Mailbox, django_assert_num_queries: CaptureQueriesContext
) -> None:
    with django_assert_num_queries(1):
        assert collect.collect() == 0


@given(raw=st.binary(max_size=3000))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_message_is_taken_in(helpdesk: Mailbox, raw: bytes) -> None:
    head = b"From: bob@northfield.secure.example\r\nSubject: "
    deliver_mail(helpdesk, "bob@northfield.secure.example", raw=head + raw)
    before = CollectedMessage.objects.count()

    collect.collect()

    assert CollectedMessage.objects.count() == before + 1


def test_a_message_that_cannot_be_read_does_not_hold_up_the_others(
    helpdesk: Mailbox, bob: Person
) -> None:
    broken = deliver_mail(helpdesk, bob.address, text="x" * 100_000)
    store.delete(Kind.BODY, broken.content.blob_key)
    deliver_mail(helpdesk, bob.address, subject="A second question")

    # The operators see a failed job until the file is back.
    with pytest.raises(FileNotFoundError):
        collect.collect()

    assert Ticket.objects.get().subject == "A second question"
    broken.refresh_from_db()
    assert broken.folder.role == FolderRole.INBOX


def test_a_message_that_our_reading_fails_at_is_set_aside(
    helpdesk: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = deliver_mail(helpdesk, bob.address)
    deliver_mail(helpdesk, bob.address)
    read = incoming_message.parse

    def fail(message: Message) -> incoming_message.IncomingMessage:
        if message == poison:
            raise RecursionError
        return read(message)

    monkeypatch.setattr(incoming_message, "parse", fail)

    assert collect.collect() == 2

    assert Ticket.objects.count() == 1
    aside = CollectedMessage.objects.get(stored_id=poison.pk)
    assert (aside.outcome, aside.ticket) == (Outcome.IGNORED, None)
    assert "RecursionError" in aside.reason


def test_a_fault_that_passes_is_shown_and_stops_no_other(
    helpdesk: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MAX_PER_RUN", 2)
    unread = [deliver_mail(helpdesk, bob.address) for _ in range(3)]
    deliver_mail(helpdesk, bob.address)
    read = incoming_message.parse

    def fail(message: Message) -> incoming_message.IncomingMessage:
        if message in unread:
            raise OSError("the disk does not answer")
        return read(message)

    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk"):
        patched.setattr(incoming_message, "parse", fail)
        collect.collect()
    assert Ticket.objects.count() == 1

    assert [collect.collect(), collect.collect()] == [2, 1]
    assert Ticket.objects.count() == 4
