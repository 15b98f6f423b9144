"""Withdrawing what was found, and putting it back, with two approvals each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from engine.audit.models import Entry
from engine.database import clock
from engine.incidents import key_index, search, tasks, withdrawal_job, withdrawals
from engine.incidents.models import Withdrawal, WithdrawalState
from engine.queue import operator_actions
from engine.queue.delivery import claim
from engine.queue.delivery_status import one_message
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.registry.models import Posting, RoleName
from engine.storage import content
from engine.storage.models import FirstUse, Message, WithdrawalKind, WithdrawnCopy
from tests import factories
from tests.engine.incidents.conftest import criteria
from tests.engine.queue.conftest import JANE
from tests.jobs import run_queued

pytestmark = pytest.mark.django_db


def ask(operators, **typed):
    key_index.index_new()
    wanted = criteria(**(typed or {"subject": "bundle"}))
    return withdrawals.ask(wanted, reason="It is phishing", by=operators[0])


def approve(withdrawal, operators):
    for one in operators[1:]:
        withdrawals.agree(withdrawal, by=one)
    run_queued()
    withdrawal.refresh_from_db()


def bundles(queue, person):
    return [one for one in queue.inbox(person) if one.subject == "Bundle"]


def test_two_others_approve_before_anything_moves(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    asker, second, third = operators

    with pytest.raises(PolicyError, match="two other operators"):
        withdrawals.agree(withdrawal, by=asker)
    withdrawals.agree(withdrawal, by=second)
    with pytest.raises(PolicyError, match="approved this already"):
        withdrawals.agree(withdrawal, by=second)
    run_queued()
    assert bundles(queue, alice)

    withdrawals.agree(withdrawal, by=third)
    run_queued()

    assert not bundles(queue, alice)
    copy = WithdrawnCopy.objects.get()
    assert (copy.kind, copy.reason) == (WithdrawalKind.OPERATOR, "It is phishing")
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.DONE
    assert (withdrawal.found, withdrawal.messages, withdrawal.copies) == (1, 1, 1)


def test_other_roles_neither_ask_nor_approve(queue, alice, bob, hugh, operators):
    queue.send(bob.address, alice.address)
    key_index.index_new()
    wanted = criteria(subject="bundle")

    for stranger in (alice, hugh):
        with pytest.raises(PolicyError, match="Only operators"):
            withdrawals.ask(wanted, reason="x", by=stranger)
    withdrawal = ask(operators)
    with pytest.raises(PolicyError, match="Only operators"):
        withdrawals.agree(withdrawal, by=hugh)


def test_a_role_that_was_just_given_approves_nothing(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    operators[1].staff_roles.update(given_at=clock.now())

    with pytest.raises(PolicyError, match="too new"):
        withdrawals.agree(withdrawal, by=operators[1])


def test_a_refusal_ends_it(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    withdrawals.refuse(withdrawal, reason="Not this one", by=operators[1])

    with pytest.raises(PolicyError, match="no longer waits"):
        withdrawals.agree(withdrawal, by=operators[2])
    assert bundles(queue, alice)


def test_nothing_found_and_too_much_found_are_refused(
    queue, alice, bob, operators, monkeypatch
):
    with pytest.raises(PolicyError, match="Nothing was found"):
        ask(operators)
    queue.send(bob.address, alice.address)
    monkeypatch.setattr(search, "MOST", 0)
    with pytest.raises(PolicyError, match="More than 0"):
        ask(operators)


def test_what_waits_is_held_and_delivered_when_it_is_put_back(
    queue, hop, firm_connection, alice, bob, operators
):
    reference = queue.send(bob.address, JANE, alice.address)
    withdrawal = ask(operators)
    approve(withdrawal, operators)

    waiting = Recipient.objects.get(message__reference=reference, address=JANE)
    assert (waiting.status, waiting.hold) == (RecipientStatus.HELD, Hold.WITHDRAWN)
    assert (withdrawal.stopped, withdrawal.copies) == (1, 1)
    queue.run()
    assert hop.received == []

    back = withdrawals.ask_to_put_back(withdrawal, reason="Harmless", by=operators[0])
    with pytest.raises(PolicyError, match="two other operators"):
        withdrawals.agree(back, by=operators[0])
    approve(back, operators)
    queue.run()

    assert len(bundles(queue, alice)) == 1
    assert len(hop.received) == 1
    assert (back.state, back.copies, back.stopped) == (WithdrawalState.DONE, 1, 1)
    assert not WithdrawnCopy.objects.exists()


def test_it_is_put_back_once_unless_that_was_refused(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    with pytest.raises(PolicyError, match="done can be put back"):
        withdrawals.ask_to_put_back(withdrawal, reason="x", by=operators[0])
    approve(withdrawal, operators)

    back = withdrawals.ask_to_put_back(withdrawal, reason="x", by=operators[0])
    with pytest.raises(PolicyError, match="asked for already"):
        withdrawals.ask_to_put_back(withdrawal, reason="x", by=operators[1])
    withdrawals.refuse(back, reason="No", by=operators[1])
    again = withdrawals.ask_to_put_back(withdrawal, reason="x", by=operators[1])

    assert again.undoes_id == withdrawal.pk


def test_those_who_opened_it_are_told_and_no_one_else(queue, alice, bob, operators):
    queue.send(JANE, alice.address, bob.address)
    queue.run()
    Message.objects.filter(mailbox=alice.mailbox).update(first_use=FirstUse.OPENED)
    Message.objects.filter(mailbox=bob.mailbox).update(first_use="")
    withdrawal = ask(operators)

    approve(withdrawal, operators)

    [notice] = queue.inbox(alice)
    assert notice.subject == "A message that you opened was withdrawn"
    text = content.read(notice).decode()
    assert "It is phishing" in text
    assert "Hello" not in text
    assert queue.inbox(bob) == []
    assert withdrawal.used == 1


def test_what_lists_made_of_it_is_withdrawn_too(
    queue, northfield, alice, bob, operators
):
    factories.make_list(
        "all@northfield.secure.example",
        northfield,
        alice.address,
        posting=Posting.COMMUNITY,
    )
    queue.send(bob.address, "all@northfield.secure.example")
    withdrawal = ask(operators)  # before the list has sent it on
    queue.run(until_nothing_is_due=True)
    assert bundles(queue, alice)

    approve(withdrawal, operators)

    assert not bundles(queue, alice)


def test_it_goes_on_where_it_was_interrupted(queue, alice, bob, operators, monkeypatch):
    for _ in range(5):
        queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    for one in operators[1:]:
        withdrawals.agree(withdrawal, by=one)
    monkeypatch.setattr(withdrawal_job.batches, "JOB_SECONDS", -1.0)

    withdrawal_job.run(withdrawal.pk)  # one message, and another job
    assert WithdrawnCopy.objects.count() == 1
    withdrawal.refresh_from_db()
    assert withdrawal.messages == 1
    original = withdrawal_job._advance

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(withdrawal_job, "_advance", dies)
    with pytest.raises(RuntimeError):
        withdrawal_job.run(withdrawal.pk)
    monkeypatch.setattr(withdrawal_job, "_advance", original)
    run_queued()

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.DONE
    assert (withdrawal.messages, withdrawal.copies) == (5, 5)
    assert not bundles(queue, alice)


def test_later_mail_is_not_withdrawn(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    queue.send(bob.address, alice.address)
    key_index.index_new()

    approve(withdrawal, operators)

    assert len(bundles(queue, alice)) == 1


def test_every_step_is_audited_and_the_others_are_asked(queue, alice, bob, operators):
    service = factories.make_organisation(name="Service")
    factories.make_domain(service, "secure.example")
    factories.make_mailbox(operators[1], organisation=service)
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    approve(withdrawal, operators)

    events = list(Entry.objects.filter(event__startswith="withdrawal.").order_by("id"))
    assert [one.event for one in events] == [
        "withdrawal.asked",
        "withdrawal.agreed",
        "withdrawal.agreed",
        "withdrawal.done",
    ]
    assert [one.subject for one in queue.inbox(operators[1])] == [
        "A withdrawal waits for your approval"
    ]
    assert Withdrawal.objects.count() == 1


def test_it_waits_for_what_is_being_delivered(
    queue, hop, firm_connection, bob, operators
):
    reference = queue.send(bob.address, JANE)
    withdrawal = ask(operators)
    claim.claim("runner")
    for one in operators[1:]:
        withdrawals.agree(withdrawal, by=one)
    OrmQ.objects.all().delete()

    withdrawal_job.run(withdrawal.pk)

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.RUNNING
    assert queue.status(reference) == RecipientStatus.QUEUED
    [again] = OrmQ.objects.all()
    assert timedelta(0) < again.lock - clock.now() <= withdrawal_job.PAUSE

    queue.make_all_due()
    run_queued()

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.DONE
    assert (withdrawal.messages, withdrawal.stopped) == (1, 1)
    assert queue.recipient(reference).hold == Hold.WITHDRAWN


def test_no_operator_alone_releases_what_is_withdrawn(
    queue, hop, firm_connection, bob, operators, olive
):
    reference = queue.send(bob.address, JANE)
    row = queue.recipient(reference)
    operator_actions.hold([row.pk], reason="Looks odd", by=olive)
    withdrawal = ask(operators)
    approve(withdrawal, operators)

    with pytest.raises(PolicyError, match="one operator alone cannot release it"):
        operator_actions.release([row.pk], by=olive)
    assert queue.recipient(reference).hold == Hold.WITHDRAWN

    back = withdrawals.ask_to_put_back(withdrawal, reason="Harmless", by=operators[0])
    approve(back, operators)

    # An operator held it before, and releases it.
    assert queue.recipient(reference).hold == Hold.OPERATOR
    operator_actions.release([row.pk], by=olive)
    queue.run()
    assert len(hop.received) == 1


@pytest.mark.parametrize("end", ["put back", "dropped"])
def test_its_author_reads_nothing_of_how_it_was_withdrawn(
    queue, hop, firm_connection, bob, operators, olive, end
):
    reference = queue.send(bob.address, JANE)
    withdrawal = ask(operators)
    approve(withdrawal, operators)
    [jane] = one_message.of_message(reference).recipients
    assert jane.why.startswith("Operators of the service withdrew it")

    if end == "dropped":
        ids = [queue.recipient(reference).pk]
        operator_actions.drop(ids, reason="Phishing", by=olive)
    else:
        back = withdrawals.ask_to_put_back(withdrawal, reason="x", by=operators[0])
        approve(back, operators)

    assert "withdrawal" not in str(one_message.of_message(reference))
    assert queue.recipient(reference).last_reply == ""


def test_an_approval_counts_while_its_giver_could_give_it(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    fourth = factories.make_person("orla@secure.example", name="Orla")
    factories.make_staff(fourth, RoleName.OPERATOR)
    withdrawals.agree(withdrawal, by=operators[1])
    operators[1].staff_roles.all().delete()

    withdrawals.agree(withdrawal, by=operators[2])
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.ASKED
    assert [one.name for one in withdrawals.counted(withdrawal)] == [str(operators[2])]

    withdrawals.agree(withdrawal, by=fourth)
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.RUNNING


def test_it_ends_with_the_role_of_its_asker(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    operators[0].staff_roles.all().delete()

    with pytest.raises(PolicyError, match="no longer act as an operator"):
        withdrawals.agree(withdrawal, by=operators[1])


def test_it_lapses_after_a_week(queue, alice, bob, operators):
    queue.send(bob.address, alice.address)
    withdrawal = ask(operators)
    week = timedelta(days=7)
    Withdrawal.objects.update(asked_at=clock.now() - week + timedelta(hours=1))
    tasks.let_go()
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.ASKED

    Withdrawal.objects.update(asked_at=clock.now() - week)
    withdrawal.refresh_from_db()
    with pytest.raises(PolicyError, match="more than 7 days ago"):
        withdrawals.agree(withdrawal, by=operators[1])
    tasks.let_go()

    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.REFUSED
    assert Entry.objects.filter(event="withdrawal.lapsed").count() == 1


@pytest.mark.parametrize("lacks", ["role", "time", "account"])
def test_what_too_few_could_approve_is_refused(queue, alice, bob, operators, lacks):
    queue.send(bob.address, alice.address)
    match lacks:
        case "role":
            operators[1].staff_roles.all().delete()
        case "time":
            operators[1].staff_roles.update(given_at=clock.now())
        case "account":
            operators[1].is_active = False
            operators[1].save()

    with pytest.raises(PolicyError, match=r"2 other operators .* and 1 could"):
        ask(operators)
    assert not Withdrawal.objects.exists()
