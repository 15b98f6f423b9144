"""Who may ask, who must approve, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from time_machine import travel

from engine.audit.models import Entry
from engine.registry.actions import roles
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person, RoleName
from portal.emergency_access import actions, policies, tasks
from portal.emergency_access.models import EmergencyAccess, Status
from portal.ui import audit_entries
from tests import factories, jobs
from tests.portal.emergency_access.conftest import ask


def state(access: EmergencyAccess) -> str:
    access.refresh_from_db()
    return access.status


def sent_to(step: str) -> set[str]:
    """Runs the queued jobs; returns who got mail with this in its subject."""
    jobs.run_queued()
    found = {to for one in mail.outbox if step in one.subject for to in one.to}
    mail.outbox.clear()
    return found


def test_another_administrator_and_an_operator_approve_an_administrator(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    assert not actions.approve(access, by=amy)
    assert state(access) == Status.WAITING

    assert actions.approve(access, by=olive)

    assert state(access) == Status.OPEN
    assert access.ends_at == access.opened_at + timedelta(hours=4)
    assert access in policies.readable(alice)
    for other in (amy, olive, bob):
        assert policies.readable(other) == []


def test_two_administrators_do_not_do(
    alice: Person, amy: Person, olive: Person, bob: Person, northfield: Organisation
) -> None:
    anna = factories.make_person("anna@northfield.secure.example", northfield)
    factories.make_administrator(anna)
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)

    with pytest.raises(PolicyError, match="needs the approval of an operator"):
        actions.approve(access, by=anna)


def test_where_there_is_no_other_administrator_two_operators_approve(
    alice: Person, olive: Person, bob: Person
) -> None:
    with pytest.raises(PolicyError, match="Nobody could approve"):
        ask(bob, by=alice)
    otto = factories.make_person("otto@secure.example")
    factories.make_staff(otto, RoleName.OPERATOR)
    access = ask(bob, by=alice)

    actions.approve(access, by=olive)
    actions.approve(access, by=otto)

    assert state(access) == Status.OPEN


def test_an_administrator_and_another_member_of_staff_approve_an_operator(
    alice: Person, olive: Person, hugh: Person, bob: Person
) -> None:
    access = ask(bob, by=olive)
    with pytest.raises(PolicyError):
        actions.approve(access, by=olive)
    actions.approve(access, by=hugh)
    assert state(access) == Status.WAITING

    actions.approve(access, by=alice)

    assert state(access) == Status.OPEN


def test_staff_alone_cannot_open_a_mailbox(
    alice: Person, olive: Person, hugh: Person, vera: Person, bob: Person
) -> None:
    access = ask(bob, by=olive)
    actions.approve(access, by=hugh)

    with pytest.raises(PolicyError, match="an administrator of the organisation"):
        actions.approve(access, by=vera)


def test_an_editor_of_guides_approves_nothing(
    alice: Person, olive: Person, hugh: Person, bob: Person
) -> None:
    editor = factories.make_person("eddy@secure.example")
    factories.make_staff(editor, RoleName.GUIDE_EDITOR)
    access = ask(bob, by=olive)

    with pytest.raises(PolicyError):
        actions.approve(access, by=editor)
    assert access not in policies.visible_to(editor)


def test_neither_the_asker_nor_the_holder_approves(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    factories.make_administrator(bob)
    access = ask(bob, by=alice)

    for person in (alice, bob):
        with pytest.raises(PolicyError):
            actions.approve(access, by=person)
        assert not policies.may_refuse(access, by=person)
    assert access not in policies.visible_to(bob)


def test_one_person_with_two_roles_is_one_approver(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    factories.make_staff(amy, RoleName.OPERATOR)
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)
    with pytest.raises(PolicyError, match="already"):
        actions.approve(access, by=amy)

    actions.approve(access, by=olive)

    assert state(access) == Status.OPEN


def test_the_order_does_not_matter_where_one_of_them_has_two_roles(
    alice: Person, amy: Person, olive: Person, bob: Person, northfield: Organisation
) -> None:
    factories.make_staff(amy, RoleName.OPERATOR)
    anna = factories.make_person("anna@northfield.secure.example", northfield)
    factories.make_administrator(anna)
    access = ask(bob, by=alice)

    actions.approve(access, by=amy)
    actions.approve(access, by=anna)

    assert state(access) == Status.OPEN


def test_a_role_that_was_just_given_does_not_count(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    new = factories.make_person("new@secure.example")
    role = factories.make_staff(new, RoleName.OPERATOR)
    role.given_at = timezone.now()
    role.save()
    access = ask(bob, by=alice)

    with pytest.raises(PolicyError):
        actions.approve(access, by=new)


def test_an_approval_does_not_count_once_its_author_has_lost_the_role(
    alice: Person, amy: Person, olive: Person, bob: Person, northfield: Organisation
) -> None:
    anna = factories.make_person("anna@northfield.secure.example", northfield)
    factories.make_administrator(anna)
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)
    amy.organisation_roles.all().delete()

    assert not actions.approve(access, by=olive)

    assert actions.approve(access, by=anna)


def test_a_role_that_was_just_given_asks_for_nothing(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    amy.organisation_roles.update(given_at=timezone.now())

    with pytest.raises(PolicyError, match="Your role is too new"):
        ask(bob, by=amy)

    amy.organisation_roles.update(given_at=timezone.now() - timedelta(hours=25))
    otto = factories.make_person("otto@secure.example")
    factories.make_staff(otto, RoleName.OPERATOR)
    assert state(ask(bob, by=amy)) == Status.WAITING


def test_it_is_not_read_by_a_role_that_was_just_given_back(
    opened: EmergencyAccess, alice: Person
) -> None:
    alice.organisation_roles.update(given_at=timezone.now())

    assert policies.readable(alice) == []


@pytest.mark.parametrize("capacity", ["administrator", "operator"])
def test_nobody_approves_for_one_whom_they_gave_the_role(
    capacity: str,
    alice: Person,
    amy: Person,
    olive: Person,
    hugh: Person,
    bob: Person,
    northfield: Organisation,
) -> None:
    dora = factories.make_person("dora@northfield.secure.example", northfield)
    giver = olive if capacity == "operator" else amy
    if capacity == "operator":
        roles.give_staff(dora, RoleName.OPERATOR, by=olive)
    else:
        role = RoleName.ADMINISTRATOR
        roles.give(dora, role, organisation=northfield, by=amy)
    with travel(timezone.now() + timedelta(hours=25), tick=False):
        access = ask(bob, by=dora)

        assert access.capacity == capacity
        assert not policies.may_refuse(access, by=giver)
        with pytest.raises(PolicyError):
            actions.approve(access, by=giver)
        assert policies.may_approve(access, by=alice)


def test_a_second_administrator_refuses_after_one_has_approved(
    alice: Person, amy: Person, olive: Person, bob: Person, northfield: Organisation
) -> None:
    anna = factories.make_person("anna@northfield.secure.example", northfield)
    factories.make_administrator(anna)
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)

    assert access in policies.visible_to(anna)
    assert not policies.to_approve(anna)
    actions.refuse(access, reason="Call him.", by=anna)

    assert state(access) == Status.REFUSED


def test_an_approver_thinks_again(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)

    actions.refuse(access, reason="He answers his phone.", by=amy)

    assert state(access) == Status.REFUSED


@pytest.mark.parametrize("asker", ["bob", "charlie", "hugh", "vera"])
def test_others_cannot_ask(
    asker: str, alice: Person, amy: Person, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PolicyError):
        ask(alice, by=request.getfixturevalue(asker))


@pytest.mark.parametrize("hours", [0, 73, -1])
def test_the_time_is_bounded(
    hours: int, alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    with pytest.raises(PolicyError, match="between 1 and 72"):
        ask(bob, by=alice, hours=hours)


def test_nobody_asks_twice_at_once(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    ask(bob, by=alice)

    with pytest.raises(PolicyError, match="already asked"):
        ask(bob, by=alice)


def test_a_request_lapses_after_seven_days(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    actions.approve(access, by=amy)
    jobs.run_queued()
    mail.outbox.clear()
    with travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        with pytest.raises(PolicyError, match="no longer waits"):
            actions.approve(access, by=olive)
        assert tasks.close_overdue() == 1
        assert tasks.close_overdue() == 0

        assert state(access) == Status.LAPSED
        assert sent_to("not given") == {alice.address, amy.address}
        ask(bob, by=alice)


def test_an_approver_refuses_with_a_reason(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    assert sent_to("to approve") == {amy.address}

    actions.refuse(access, reason="Call him.", by=olive)

    assert state(access) == Status.REFUSED
    assert sent_to("not given") == {alice.address}
    with pytest.raises(PolicyError):
        actions.approve(access, by=amy)


def test_the_asker_withdraws(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    with pytest.raises(PolicyError):
        actions.end(access, by=amy)

    actions.end(access, by=alice)

    assert state(access) == Status.WITHDRAWN


@pytest.mark.parametrize("who", ["alice", "amy", "olive"])
def test_the_asker_or_an_approver_ends_it_early(
    who: str, opened: EmergencyAccess, alice: Person, request: pytest.FixtureRequest
) -> None:
    actions.end(opened, by=request.getfixturevalue(who))

    assert state(opened) == Status.ENDED
    assert policies.readable(alice) == []


def test_the_holder_cannot_end_it(opened: EmergencyAccess, bob: Person) -> None:
    with pytest.raises(PolicyError):
        actions.end(opened, by=bob)


def test_it_ends_with_its_time_even_before_the_job_has_run(
    opened: EmergencyAccess, alice: Person
) -> None:
    with travel(opened.ends_at + timedelta(seconds=1), tick=False):
        assert policies.readable(alice) == []
        assert tasks.close_overdue() == 1
        assert state(opened) == Status.ENDED
        assert opened.closed_by_name == ""


def test_it_ends_with_the_readers_role(opened: EmergencyAccess, alice: Person) -> None:
    alice.organisation_roles.all().delete()

    assert policies.readable(alice) == []


def test_the_holder_is_told_when_it_opens_and_everybody_at_the_end(
    opened: EmergencyAccess, alice: Person, amy: Person, bob: Person
) -> None:
    assert opened.told_at is not None
    assert sent_to("emergency access to a mailbox") == {bob.address, alice.address}
    assert opened in policies.visible_to(bob)

    actions.end(opened, by=alice)

    assert sent_to("report") == {bob.address, alice.address, amy.address}


def test_everyday_addresses_are_told_too_without_content(
    opened: EmergencyAccess, bob: Person, olive: Person, alice: Person
) -> None:
    for person in (bob, olive):
        Person.objects.filter(pk=person.pk).update(
            everyday_address=f"{person.name}@home.example".lower()
        )
    actions.end(opened, by=alice)

    assert sent_to("report") >= {
        "bob@home.example",
        bob.address,
        "olive@home.example",
    }


def test_the_holder_is_told_at_the_end_where_both_approvers_say_why(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    actions.approve(access, why_untold="He may delete evidence.", by=amy)
    actions.approve(access, why_untold="As Amy says.", by=olive)
    access.refresh_from_db()

    assert access.is_withheld
    assert bob.address not in sent_to("")
    assert access not in policies.visible_to(bob)

    actions.end(access, by=amy)

    assert bob.address in sent_to("report")
    assert access in policies.visible_to(bob)


def test_one_reason_alone_delays_nothing(
    alice: Person, amy: Person, olive: Person, bob: Person
) -> None:
    access = ask(bob, by=alice)
    actions.approve(access, why_untold="He may delete evidence.", by=amy)
    actions.approve(access, by=olive)

    assert bob.address in sent_to("emergency access to a mailbox")


def test_a_holder_who_is_administrator_reads_nothing_in_the_history_before(
    alice: Person, amy: Person, olive: Person, bob: Person, northfield: Organisation
) -> None:
    factories.make_administrator(bob)
    access = ask(bob, by=alice)
    actions.approve(access, why_untold="He may delete evidence.", by=amy)
    actions.approve(access, why_untold="As Amy says.", by=olive)
    history = audit_entries.of_organisation(northfield, "")
    everything = Entry.objects.filter(event__startswith="emergency_access.")

    assert not history.filter(event__startswith="emergency_access.").exists()
    assert everything.count() == 4

    actions.end(access, by=amy)

    ending = history.get(event="emergency_access.ended")
    assert ending.detail["read_by"] == alice.name


def test_each_step_is_in_the_history_of_the_organisation(
    opened: EmergencyAccess, alice: Person, northfield: Organisation
) -> None:
    actions.end(opened, by=alice)

    entries = audit_entries.of_organisation(northfield, "").order_by("pk")
    assert [one.event.partition(".")[2] for one in entries] == [
        "requested",
        "approved",
        "approved",
        "opened",
        "ended",
    ]
    assert {one.by_name for one in entries} == {
        "alice@northfield.secure.example",
        "amy@northfield.secure.example",
        "olive@secure.example",
    }


def test_one_person_asks_for_few_mailboxes_at_once(
    alice: Person, amy: Person, olive: Person, northfield: Organisation
) -> None:
    for number in range(policies.MOST_UNFINISHED + 1):
        holder = factories.make_person(
            f"p{number}@northfield.secure.example", northfield
        )
        factories.make_mailbox(holder)
        if number < policies.MOST_UNFINISHED:
            ask(holder, by=alice)

    with pytest.raises(PolicyError, match="End one first"):
        ask(holder, by=alice)
