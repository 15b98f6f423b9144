from __future__ import annotations

import pytest

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import ListMember, Mailbox, Organisation
from engine.storage.models import Content, Message
from engine.trace.models import Event, EventKind
from tests import factories
from tests.attachment_cases import CASES, letter
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

LIST = "duty@northfield.secure.example"


@pytest.fixture
def duty(northfield, alice, bob, charlie):
    return factories.make_list(LIST, northfield, alice.address, charlie.address)


def test_message_reaches_every_member_with_one_stored_copy(
    queue, duty, alice, bob, charlie
):
    reference = queue.send(bob.address, LIST)

    queue.run()

    [to_alice], [to_charlie] = queue.inbox(alice), queue.inbox(charlie)
    assert to_alice.content_id == to_charlie.content_id
    assert Content.objects.count() == 2  # sent to the list, and by the list
    assert queue.status(reference) is RecipientStatus.EXPANDED


def test_large_body_is_not_stored_again(queue, duty, alice, bob):
    raw = b"From: a@b.example\r\n\r\n" + b"line\r\n" * 50_000
    queue.send(bob.address, LIST, raw=raw)

    queue.run()

    assert Content.objects.values("blob_key").distinct().count() == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_copies_are_marked_as_webmail_lists_their_attachments(
    queue, duty, alice, bob, is_known
):
    for case in CASES:
        queue.send(bob.address, LIST, raw=letter(case))
    if not is_known:  # of a version that did not decide on arrival
        Content.objects.update(has_attachments=None)

    queue.run(until_nothing_is_due=True)

    inbox = queue.inbox(alice)
    assert {message.subject: message.has_attachments for message in inbox} == CASES


def test_list_adds_its_header_and_touches_nothing_else(queue, duty, alice, bob, read):
    queue.send(bob.address, LIST)

    queue.run()

    raw = read(queue.inbox(alice)[0])
    assert raw.startswith(
        b"List-Id: <duty.northfield.secure.example>\r\n"
        b"List-Post: <mailto:duty@northfield.secure.example>\r\n"
        b"List-Help: <http://127.0.0.1:8000/help/>\r\n"
        b"Precedence: list\r\n"
        b"X-Loop: duty@northfield.secure.example\r\n"
        b"From: a@b.example\r\n"
    )
    assert raw.endswith(b"\r\n\r\nHello\r\n")


def test_member_on_a_server_gets_it_from_the_bounce_address(
    queue, northfield, hop, firm_connection, bob
):
    factories.make_list(LIST, northfield, JANE)
    queue.send(bob.address, LIST)

    queue.run()
    queue.run()

    [received] = hop.received
    assert received.recipients == ["jane@firm.example"]
    assert received.sender == "duty-bounces@northfield.secure.example"


def test_refusal_by_a_member_reaches_neither_crowd_nor_author(
    queue, northfield, hop, firm_connection, alice, bob
):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    factories.make_list(LIST, northfield, JANE, alice.address)
    queue.send(bob.address, LIST)

    queue.run()
    queue.run()

    assert Recipient.objects.get(address=JANE).status == RecipientStatus.FAILED
    assert len(queue.inbox(alice)) == 1
    assert queue.inbox(bob) == []
    assert not QueuedMessage.objects.filter(source=Source.DSN).exists()


def test_list_inside_a_list_is_expanded_and_a_circle_is_broken(
    queue, northfield, alice, bob
):
    outer, inner = LIST, "inner@northfield.secure.example"
    factories.make_list(outer, northfield, inner)
    factories.make_list(inner, northfield, outer, alice.address)
    queue.send(bob.address, outer)

    for _ in range(5):
        queue.run()

    assert len(queue.inbox(alice)) == 1
    failed = Recipient.objects.get(status=RecipientStatus.FAILED)
    assert failed.address == outer
    assert failed.last_reply.startswith("554 5.4.6")


def test_member_who_left_is_passed_over_and_traced(queue, northfield, alice, bob):
    factories.make_list(LIST, northfield, "gone@northfield.secure.example")
    factories.make_list(
        "both@northfield.secure.example",
        northfield,
        "gone@northfield.secure.example",
        alice.address,
    )
    nobody = queue.send(bob.address, LIST)
    somebody = queue.send(bob.address, "both@northfield.secure.example")

    queue.run()

    assert queue.status(nobody) is RecipientStatus.FAILED
    assert len(queue.inbox(alice)) == 1
    gone = Event.objects.get(
        reference=somebody, recipient="gone@northfield.secure.example"
    )
    assert gone.kind == EventKind.FAILED


def test_suspending_the_author_holds_the_copies_too(
    queue, northfield, hop, firm_connection, charlie
):
    factories.make_list(LIST, northfield, JANE)
    queue.send(charlie.address, LIST)
    queue.run()
    charlie.organisation.status = "suspended"
    charlie.organisation.save()

    queue.run()

    assert Recipient.objects.get(address=JANE).status == RecipientStatus.HELD


def test_what_an_author_says_of_lists_is_dropped(queue, duty, alice, bob, read):
    forged = b"List-Id: <other.example>\r\nList-Unsubscribe: <https://evil.example>\r\n"
    queue.send(bob.address, LIST, raw=forged + b"From: a@b.example\r\n\r\nHello\r\n")

    queue.run()

    raw = read(queue.inbox(alice)[0])
    assert b"evil.example" not in raw
    assert raw.count(b"List-Id:") == 1


def test_list_of_thousands_is_delivered_in_few_statements(
    queue, northfield, bob, django_assert_max_num_queries
):
    people = [f"p{number}@northfield.secure.example" for number in range(3000)]
    Mailbox.objects.bulk_create(
        Mailbox(address=a, name=a, kind="group", organisation=northfield)
        for a in people
    )
    made = factories.make_list(LIST, northfield)
    ListMember.objects.bulk_create(
        ListMember(distribution_list=made, address=a) for a in people
    )
    queue.send(bob.address, LIST)

    with django_assert_max_num_queries(100):
        queue.run()

    assert Message.objects.count() == 3000
    assert Content.objects.count() == 2


NOTICE = """\
From: MAILER-DAEMON@firm.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.firm.example

Final-Recipient: rfc822; {address}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such person

--b--
"""


def notice(address: str = "jane@firm.example", action: str = "failed") -> bytes:
    text = NOTICE.format(address=address, action=action)
    return text.replace("\n", "\r\n").encode()


def return_to_list(queue, raw: bytes, organisation: Organisation) -> str:
    reference = queue.send("", "duty-bounces@northfield.secure.example", raw=raw)
    QueuedMessage.objects.update(organisation_id=organisation.pk)
    queue.run()
    return reference


def test_refusal_by_a_members_server_is_noted_beside_the_member(
    queue, northfield, hop, firm_connection, bob
):
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"] * 3
    made = factories.make_list(LIST, northfield, JANE)
    for _ in range(3):
        queue.send(bob.address, LIST)
        queue.run()
        queue.run()

    member = made.members.get()
    assert member.needs_attention
    assert "No such person" in member.last_failure
    assert member.last_failed_at is not None


def test_member_who_is_reached_again_is_not_flagged(
    queue, northfield, hop, firm_connection, bob
):
    made = factories.make_list(LIST, northfield, JANE)
    made.members.update(failures=3)
    queue.send(bob.address, LIST)

    queue.run()
    queue.run()

    assert made.members.get().failures == 0


def test_notice_from_a_members_server_is_collected(
    queue, northfield, firm, firm_connection
):
    made = factories.make_list(LIST, northfield, JANE)

    reference = return_to_list(queue, notice(), firm)

    member = made.members.get()
    assert (member.failures, member.last_failure) == (1, "550 5.1.1 No such person")
    assert queue.status(reference) is RecipientStatus.DELIVERED


def test_notice_about_an_alias_is_noted_beside_its_member(
    queue, northfield, firm, firm_connection
):
    factories.make_alias("former@northfield.secure.example", JANE, northfield)
    made = factories.make_list(LIST, northfield, "former@northfield.secure.example")

    return_to_list(queue, notice(), firm)

    assert made.members.get().failures == 1


@pytest.mark.parametrize(
    "raw",
    [
        notice(action="delayed"),
        notice(address="stranger@firm.example"),
        notice(address="not an address"),
        b"From: x@firm.example\r\n\r\nI am away\r\n",
        notice() + b"x" * 2_000_000,
    ],
    ids=["delay", "no member", "no address", "no notice", "huge"],
)
def test_notice_that_says_nothing_of_a_member(
    queue, northfield, firm, firm_connection, raw
):
    made = factories.make_list(LIST, northfield, JANE)

    reference = return_to_list(queue, raw, firm)

    assert made.members.get().failures == 0
    assert queue.status(reference) is RecipientStatus.DELIVERED


def test_notice_by_a_neighbour_makes_nobody_look_out_of_reach(
    queue, northfield, harbour, firm, firm_connection
):
    made = factories.make_list(LIST, northfield, JANE)

    return_to_list(queue, notice(), harbour)

    assert made.members.get().failures == 0


REPORT = "multipart/report; report-type=disposition-notification; boundary=b"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("auto-submitted", "Auto-Generated; owner=x"),
        ("Auto-Submitted", "auto-notified (a calendar)"),
        ("Precedence", "bulk"),
        ("Precedence", "JUNK"),
        ("X-Autoreply", "yes"),
        ("Content-Type", REPORT),
    ],
)
def test_an_automatic_answer_reaches_no_member_and_the_trace_says_why(
    queue, duty, alice, bob, charlie, name, value
):
    raw = f"{name}: {value}\r\nFrom: {bob.address}\r\n\r\nI am away\r\n".encode()
    reference = queue.send(bob.address, LIST, charlie.address, raw=raw)

    queue.run()
    queue.run()

    assert queue.inbox(alice) == []
    assert len(queue.inbox(charlie)) == 1  # as one of the recipients, not as a member
    event = Event.objects.get(
        reference=reference, recipient=LIST, kind=EventKind.FAILED
    )
    assert event.detail["reply"].startswith(
        f"550 5.7.2 A list takes no automatic message ({name}: {value[:20]}"
    )
    [notice] = queue.inbox(bob)
    assert notice.envelope_sender == ""


def test_a_null_sender_reaches_no_member(queue, duty, alice):
    """As an answer to mail from a server that writes in the list's own name."""
    queue.send("", LIST, source=Source.SYSTEM)

    queue.run()

    assert queue.inbox(alice) == []
    assert Recipient.objects.get().status == RecipientStatus.FAILED
    assert not QueuedMessage.objects.filter(source=Source.DSN).exists()


@pytest.mark.parametrize(
    "field", ["Auto-Submitted: no", "Precedence: list", "Precedence: first-class"]
)
def test_what_a_person_wrote_reaches_the_members(queue, duty, alice, bob, field):
    raw = f"{field}\r\nFrom: {bob.address}\r\n\r\nHello\r\n".encode()
    queue.send(bob.address, LIST, raw=raw)

    queue.run()

    assert len(queue.inbox(alice)) == 1
