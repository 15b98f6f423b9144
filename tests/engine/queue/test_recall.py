"""Messages that their authors recall, and what each recipient's copy has come to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.database import clock
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.pop3 import maildrop
from engine.queue import mailbox_withdrawals, operator_actions, recall, tasks
from engine.queue.delivery_status import one_message, summaries
from engine.queue.delivery_status.states import DeliveryState
from engine.queue.models import Hold, QueuedMessage, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage import message_actions
from engine.storage.exports import mbox
from engine.storage.models import (
    FirstUse,
    FolderRole,
    Message,
    Rule,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.storage.standard_folders import folder
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from tests import factories
from tests.engine.queue.conftest import JANE, RAW, Queue
from tests.next_hop import NextHop

pytestmark = pytest.mark.django_db

USED = timeline.NOT_RECALLED["used"]


def sent_copy(author: Person, reference: str) -> Message:
    """Files the author's own copy, as webmail and the API do."""
    sent = folder(author.mailbox, FolderRole.SENT)
    return message_actions.append(sent, RAW, reference=reference)


@pytest.fixture
def send(queue: Queue, bob: Person) -> Callable[..., Message]:
    """Sends from Bob, delivers what can be, and returns his copy in Sent."""

    def send(*to: str) -> Message:
        reference = queue.send(bob.address, *to)
        queue.run(until_nothing_is_due=True)
        return sent_copy(bob, reference)

    return send


@pytest.fixture
def colleague(bob: Person) -> Person:
    person = factories.make_person("carol@northfield.secure.example", bob.organisation)
    factories.make_mailbox(person)
    return person


def received(person: Person) -> Message | None:
    return Message.objects.filter(
        mailbox__owner=person, folder__role=FolderRole.INBOX
    ).first()


def run_jobs() -> None:
    """Runs the jobs of recalls that wait, also those that are not due yet."""
    OrmQ.objects.update(lock=clock.now())
    while (job := jobs.claim(Lane.LONG)) is not None:
        assert job.func == recall.JOB
        tasks.finish_recall(*job.args)
        jobs.done(job)


def outcomes(sent: Message) -> dict[str, tuple[DeliveryState, str]]:
    """Returns what the author sees, after checking that the list of messages agrees, and
    the trace once the queue has forgotten the message."""
    found = one_message.of_sent_copy(sent)
    assert found is not None
    listed = summaries.of_messages([sent.reference])[sent.reference]
    assert listed.state is found.message.state
    shown = {one.address: (one.state, one.why) for one in found.recipients}
    if found.message.is_final:
        known = Recipient.objects.filter(message__reference=sent.reference)
        if known.exists():
            known.delete()
            QueuedMessage.objects.filter(reference=sent.reference).delete()
            assert outcomes(sent) == shown
    return shown


def test_an_unopened_copy_leaves_the_mailbox(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)

    recall.recall(sent, reason="Wrong bundle", by=bob)

    assert received(alice) is None
    [copy] = WithdrawnCopy.objects.all()
    assert (copy.kind, copy.reason) == (WithdrawalKind.RECALLED, "Wrong bundle")
    assert (copy.mailbox, copy.by_name) == (alice.mailbox, str(bob))
    assert outcomes(sent) == {alice.address: (DeliveryState.RECALLED, "")}
    assert Message.objects.filter(pk=sent.pk).exists()
    asked = Entry.objects.get(event="message.recalled")
    assert (asked.by_key, asked.detail["reference"]) == (bob.audit_key, sent.reference)


@pytest.mark.parametrize("how", [FirstUse.OPENED, FirstUse.FETCHED])
def test_one_that_was_seen_stays_and_says_no_more(
    send: Callable[..., Message], bob: Person, alice: Person, how: FirstUse
) -> None:
    sent = send(alice.address)
    message = received(alice)
    assert message is not None
    assert message_actions.note_use([message], how) == [message]
    # Whether it is marked as read does not matter.
    message_actions.mark_read([message], is_read=False)

    recall.recall(sent, by=bob)

    assert received(alice) == message
    assert outcomes(sent) == {alice.address: (DeliveryState.DELIVERED, f"{USED}.")}


def test_one_that_is_only_marked_as_read_is_recalled(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    message_actions.mark_read([received(alice)], is_read=True)

    recall.recall(sent, by=bob)

    assert received(alice) is None


def test_what_is_not_known_is_not_recalled(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    Message.objects.filter(pk=received(alice).pk).update(first_use=FirstUse.UNKNOWN)

    recall.recall(sent, by=bob)

    [(state, why)] = outcomes(sent).values()
    assert state is DeliveryState.DELIVERED
    assert "before the service recorded" in why


def test_a_rule_that_forwards_a_message_uses_it(
    queue: Queue, bob: Person, alice: Person, colleague: Person
) -> None:
    Rule.objects.create(
        mailbox=alice.mailbox,
        position=1,
        name="To Carol",
        subject_contains="Bundle",
        forward_to=colleague.address,
    )
    reference = queue.send(bob.address, alice.address)
    queue.run()
    sent = sent_copy(bob, reference)

    recall.recall(sent, by=bob)

    assert received(alice) is not None
    assert outcomes(sent) == {alice.address: (DeliveryState.DELIVERED, f"{USED}.")}


def test_one_that_was_deleted_unopened_is_no_longer_there(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    message_actions.erase([received(alice).pk])

    recall.recall(sent, by=bob)

    assert outcomes(sent) == {alice.address: (DeliveryState.DELIVERED, f"{USED}.")}


def test_each_recipient_has_their_own_outcome(
    queue: Queue,
    hop: NextHop,
    firm_connection,
    send: Callable[..., Message],
    bob: Person,
    alice: Person,
    colleague: Person,
) -> None:
    sent = send(alice.address, colleague.address, JANE)
    message_actions.note_use([received(colleague)], FirstUse.OPENED)

    recall.recall(sent, by=bob)

    found = outcomes(sent)
    assert found[alice.address] == (DeliveryState.RECALLED, "")
    assert found[colleague.address][0] is DeliveryState.DELIVERED
    assert "own mail server" in found[JANE][1]
    state = one_message.of_sent_copy(sent).message.state
    assert state is DeliveryState.PARTLY_RECALLED


def test_what_waits_in_the_queue_is_taken_back_there(
    queue: Queue,
    hop: NextHop,
    firm_connection,
    send: Callable[..., Message],
    bob: Person,
    alice: Person,
) -> None:
    hop.stop()
    sent = send(alice.address, JANE)

    recall.recall(sent, by=bob)
    hop.start()
    queue.make_all_due()
    queue.run()

    assert not hop.received
    assert outcomes(sent) == {
        alice.address: (DeliveryState.RECALLED, ""),
        JANE: (DeliveryState.TAKEN_BACK, ""),
    }
    state = one_message.of_sent_copy(sent).message.state
    assert state is DeliveryState.RECALLED


def test_what_is_on_its_way_is_left(
    queue: Queue, hop: NextHop, firm_connection, bob: Person
) -> None:
    reference = queue.send(bob.address, JANE)
    sent = sent_copy(bob, reference)
    until = clock.now() + timedelta(minutes=5)
    Recipient.objects.update(leased_until=until, leased_by="another")

    recall.recall(sent, by=bob)

    assert queue.status(reference) is RecipientStatus.QUEUED
    queue.make_all_due()
    recall.recall(sent, by=bob)
    assert outcomes(sent) == {JANE: (DeliveryState.TAKEN_BACK, "")}


@pytest.mark.parametrize("hold", [Hold.OPERATOR, Hold.RESTORE, Hold.WITHDRAWN])
def test_what_an_operator_holds_stays_until_it_is_released(
    queue: Queue, hop: NextHop, firm_connection, bob: Person, hold: Hold
) -> None:
    reference = queue.send(bob.address, JANE)
    sent = sent_copy(bob, reference)
    Recipient.objects.update(status=RecipientStatus.HELD, hold=hold)

    recall.recall(sent, by=bob)
    recall.recall(sent, by=bob)

    assert queue.status(reference) is RecipientStatus.HELD
    [(state, why)] = outcomes(sent).values()
    assert state is DeliveryState.WAITING
    assert "an operator of the service keeps it back. Ask the helpdesk." in why
    assert Event.objects.filter(kind=EventKind.NOT_RECALLED).count() == 1

    Recipient.objects.update(status=RecipientStatus.QUEUED, hold="")
    recall.recall(sent, by=bob)

    assert outcomes(sent) == {JANE: (DeliveryState.TAKEN_BACK, "")}


def test_one_that_was_held_and_delivered_since_says_no_more_of_the_hold(
    queue: Queue, hop: NextHop, firm_connection, bob: Person
) -> None:
    reference = queue.send(bob.address, JANE)
    sent = sent_copy(bob, reference)
    Recipient.objects.update(status=RecipientStatus.HELD, hold=Hold.OPERATOR)
    recall.recall(sent, by=bob)
    operator_actions.release([queue.recipient(reference).pk], by=None)
    queue.run(until_nothing_is_due=True)
    found = one_message.of_sent_copy(sent)
    assert found is not None
    assert found.can_be_recalled
    assert [one.why for one in found.recipients] == [""]

    recall.recall(sent, by=bob)

    [(state, why)] = outcomes(sent).values()
    assert state is DeliveryState.DELIVERED
    assert "own mail server has it" in why


def test_mail_of_a_suspended_sender_is_taken_back(
    queue: Queue, hop: NextHop, firm_connection, bob: Person
) -> None:
    reference = queue.send(bob.address, JANE)
    Recipient.objects.update(status=RecipientStatus.HELD, hold=Hold.SUSPENSION)

    recall.recall(sent_copy(bob, reference), by=bob)

    assert queue.status(reference) is RecipientStatus.DROPPED


def test_members_of_a_list_lose_it_and_the_author_learns_nothing_of_them(
    queue: Queue, bob: Person, alice: Person, colleague: Person
) -> None:
    duty = factories.make_list(
        "duty@northfield.secure.example",
        bob.organisation,
        alice.address,
        colleague.address,
    )
    reference = queue.send(bob.address, duty.address)
    queue.run(until_nothing_is_due=True)
    sent = sent_copy(bob, reference)
    message_actions.note_use([received(colleague)], FirstUse.OPENED)

    recall.recall(sent, reason="Wrong list", by=bob)

    assert received(alice) is None
    assert received(colleague) is not None
    assert outcomes(sent) == {duty.address: (DeliveryState.PARTLY_RECALLED, "")}
    own = Event.objects.filter(reference=reference)
    assert {one.recipient for one in own} == {"", duty.address}
    others = Event.objects.exclude(reference=reference)
    kinds = dict(others.exclude(recipient="").values_list("recipient", "kind"))
    assert kinds == {
        alice.address: EventKind.RECALLED,
        colleague.address: EventKind.NOT_RECALLED,
    }


def test_a_list_that_is_sending_it_on_is_recalled_again(
    queue: Queue, hop: NextHop, firm_connection, bob: Person, alice: Person
) -> None:
    hop.stop()
    duty = factories.make_list(
        "duty@northfield.secure.example", bob.organisation, alice.address, JANE
    )
    reference = queue.send(bob.address, duty.address)
    queue.run()
    sent = sent_copy(bob, reference)
    jane = Recipient.objects.filter(address=JANE)
    until = clock.now() + timedelta(minutes=5)
    assert jane.update(leased_until=until, leased_by="another") == 1

    recall.recall(sent, by=bob)

    found = one_message.of_sent_copy(sent)
    assert found is not None
    assert found.message.state is DeliveryState.PARTLY_RECALLED
    assert found.can_be_recalled
    assert received(alice) is None
    assert jane.get().status == RecipientStatus.QUEUED
    queue.make_all_due()
    # Every recall leaves one, for what was being delivered.
    run_jobs()
    assert jane.get().status == RecipientStatus.DROPPED


def test_one_whose_process_ended_halfway_is_finished_by_a_job(
    send: Callable[..., Message],
    bob: Person,
    alice: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = send(alice.address)

    def end(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(recall, "_recall_slice", end)
        with pytest.raises(SystemExit):
            recall.recall(sent, reason="Wrong", by=bob)
    assert Entry.objects.filter(event="message.recalled").exists()
    assert received(alice) is not None
    assert jobs.claim(Lane.LONG) is None

    run_jobs()

    assert outcomes(sent) == {alice.address: (DeliveryState.RECALLED, "")}
    assert not OrmQ.objects.exists()


def test_a_long_list_is_finished_by_a_job(
    queue: Queue,
    bob: Person,
    alice: Person,
    colleague: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recall, "SLICE", 1)
    monkeypatch.setattr(recall, "AT_ONCE", 1)
    reference = queue.send(bob.address, alice.address, colleague.address)
    queue.run(until_nothing_is_due=True)
    sent = sent_copy(bob, reference)

    recall.recall(sent, reason="Wrong", by=bob)
    # One more was done to see that there is more.
    run_jobs()

    assert {state for state, _ in outcomes(sent).values()} == {DeliveryState.RECALLED}
    assert {one.by_name for one in WithdrawnCopy.objects.all()} == {str(bob)}


def test_it_can_be_repeated(
    send: Callable[..., Message], bob: Person, alice: Person, colleague: Person
) -> None:
    sent = send(alice.address, colleague.address)
    message_actions.note_use([received(colleague)], FirstUse.OPENED)
    recall.recall(sent, by=bob)
    once = Event.objects.count()

    recall.recall(sent, by=bob)

    assert Event.objects.count() == once


def test_put_back_by_an_operator_it_is_delivered_again(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    recall.recall(sent, by=bob)

    mailbox_withdrawals.put_back(
        WithdrawnCopy.objects.values_list("pk", flat=True), by=None
    )

    assert outcomes(sent) == {alice.address: (DeliveryState.DELIVERED, "")}


def test_withdrawn_by_an_operator_its_author_sees_that(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    cause = mailbox_withdrawals.Cause(WithdrawalKind.OPERATOR, None, "For operators")

    mailbox_withdrawals.withdraw([received(alice).pk], cause)

    assert outcomes(sent) == {alice.address: (DeliveryState.WITHDRAWN, "")}
    said = str(one_message.story(sent.reference))
    assert "For operators" not in said


def test_only_a_sent_message_on_record_can_be_recalled(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    with pytest.raises(PolicyError, match="Only a message that you sent"):
        recall.recall(received(alice), by=alice)
    with pytest.raises(PolicyError, match="at most 200"):
        recall.recall(sent, reason="x" * 201, by=bob)

    QueuedMessage.objects.all().delete()
    Event.objects.all().delete()

    with pytest.raises(PolicyError, match="no longer has a record"):
        recall.recall(sent, by=bob)


def test_a_notice_of_the_service_has_no_author(queue: Queue, alice: Person) -> None:
    reference = queue.send("", alice.address)
    queue.run()

    with pytest.raises(PolicyError, match="Only a message that you sent"):
        recall.recall(received(alice), by=alice)
    assert Message.objects.filter(reference=reference).exists()


def test_the_use_of_a_notice_is_noted(queue: Queue, alice: Person) -> None:
    queue.send("", alice.address)
    queue.run()
    assert received(alice).first_use == ""

    message_actions.note_use([received(alice)], FirstUse.OPENED)

    assert received(alice).first_use == FirstUse.OPENED


def test_an_export_and_a_pop3_client_use_what_they_fetch(
    send: Callable[..., Message], alice: Person
) -> None:
    send(alice.address)
    opened = maildrop.open_maildrop(alice.mailbox)
    maildrop.find_message(opened, opened.item(1), is_fetched=False)
    assert received(alice).first_use == ""
    maildrop.find_message(opened, opened.item(1), is_fetched=True)
    assert received(alice).first_use == FirstUse.FETCHED

    Message.objects.update(first_use="")
    maildrop.read_small(opened, [opened.item(1)])
    assert received(alice).first_use == FirstUse.FETCHED

    Message.objects.update(first_use="")
    assert list(mbox.messages_of(received(alice).folder))
    assert received(alice).first_use == FirstUse.FETCHED


def test_what_was_withdrawn_after_it_was_loaded_is_not_shown(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = send(alice.address)
    loaded = received(alice)

    recall.recall(sent, by=bob)

    assert message_actions.note_use([loaded], FirstUse.OPENED) == []


@pytest.mark.django_db(transaction=True)
def test_of_an_opening_and_a_recall_at_one_moment_one_wins(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    for _ in range(5):
        sent = send(alice.address)
        message = Message.objects.get(reference=sent.reference, mailbox=alice.mailbox)
        gate, shown = threading.Barrier(2), []

        def open_it(message: Message = message, gate=gate, shown=shown) -> None:
            gate.wait()
            shown += message_actions.note_use([message], FirstUse.OPENED)
            connection.close()

        reader = threading.Thread(target=open_it)
        reader.start()
        gate.wait()
        recall.recall(sent, by=bob)
        reader.join()

        is_recalled = WithdrawnCopy.objects.filter(pk=message.pk).exists()
        assert is_recalled is not bool(shown)
        [(state, _)] = outcomes(sent).values()
        assert (state is DeliveryState.RECALLED) is is_recalled


def test_many_events_hide_no_outcome(
    send: Callable[..., Message],
    bob: Person,
    alice: Person,
    colleague: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_message, "LIMIT", 3)
    monkeypatch.setattr(summaries, "LIMIT", 3)
    sent = send(alice.address, colleague.address)

    recall.recall(sent, by=bob)

    recalled = DeliveryState.RECALLED, ""
    assert outcomes(sent) == {alice.address: recalled, colleague.address: recalled}


def test_a_page_of_recalled_messages_takes_as_many_statements_as_one(
    send: Callable[..., Message], bob: Person, alice: Person
) -> None:
    sent = [send(alice.address) for _ in range(3)]
    for one in sent:
        recall.recall(one, by=bob)
    Recipient.objects.all().delete()
    QueuedMessage.objects.all().delete()

    def statements(*some: Message) -> int:
        with CaptureQueriesContext(connection) as captured:
            found = summaries.of_messages({one.reference for one in some})
        states = [one.state for one in found.values()]
        assert states == [DeliveryState.RECALLED] * len(some)
        return len(captured)

    assert statements(sent[0]) == statements(*sent)


def test_statements_do_not_grow_with_the_recipients(
    queue: Queue, bob: Person, alice: Person, colleague: Person
) -> None:
    def statements(*to: Person) -> int:
        reference = queue.send(bob.address, *(one.address for one in to))
        queue.run(until_nothing_is_due=True)
        sent = sent_copy(bob, reference)
        with CaptureQueriesContext(connection) as captured:
            recall.recall(sent, by=bob)
        return len(captured)

    assert statements(alice) == statements(alice, colleague)
