from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict, VerdictState
from engine.blobs import local_store, store
from engine.blobs.interface import Kind
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue import commit
from engine.queue.models import QueuedMessage, Recipient
from engine.queue.notifications import infection_alerts
from engine.registry.models import Connection, Person
from engine.trace import event_log
from engine.trace.models import Event, EventKind
from tests import factories

pytestmark = pytest.mark.django_db

FOUND = Verdict(VerdictState.INFECTED, "Eicar", "clamd")


def report_and_list_notified(
    sender: str, *, organisation_id: int | None, reference: str = "R1"
) -> set[str]:
    """Returns who is notified of an infected message, without those notified already."""
    before = set(Recipient.objects.values_list("pk", flat=True))
    infection_alerts.report_infected_message(
        b"Subject: x\r\n\r\nbad\r\n",
        reference=reference,
        envelope=Envelope.simple(Address.parse(sender) if sender else None),
        verdict=FOUND,
        organisation_id=organisation_id,
    )
    notified = Recipient.objects.exclude(pk__in=before)
    return set(notified.values_list("address", flat=True))


def test_operators_administrators_and_the_sender_are_told(
    alice: Person, bob: Person, charlie: Person, olive: Person, hugh: Person
) -> None:
    Person.objects.filter(pk=olive.pk).update(everyday_address="olive@home.example")

    notified = report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id
    )

    assert notified == {bob.address, alice.address, "olive@home.example"}
    assert set(QueuedMessage.objects.values_list("sender", flat=True)) == {""}
    assert QuarantinedMessage.objects.get().reference == "R1"
    assert Event.objects.get(reference="R1").kind == EventKind.QUARANTINED


def test_an_administrator_whose_mail_is_elsewhere_is_told_there(
    firm_connection: Connection,
) -> None:
    firm = firm_connection.organisation
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)

    assert jane.address in report_and_list_notified("", organisation_id=firm.pk)


def test_the_same_again_is_kept_and_nobody_is_told_twice(bob: Person) -> None:
    first = report_and_list_notified(bob.address, organisation_id=bob.organisation_id)
    again = report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id, reference="R2"
    )

    assert (first, again) == ({bob.address}, set())
    assert QuarantinedMessage.objects.count() == 2


def test_what_one_sends_hides_nothing_of_anothers(alice: Person, bob: Person) -> None:
    report_and_list_notified(alice.address, organisation_id=alice.organisation_id)

    notified = report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id, reference="R2"
    )

    assert bob.address in notified


def test_whoever_sends_it_reads_what_was_found(bob: Person) -> None:
    with pytest.raises(PermanentFailure) as refused:
        infection_alerts.refuse_infected(
            b"x",
            reference="R1",
            envelope=Envelope.simple(Address.parse(bob.address)),
            verdict=FOUND,
            organisation_id=bob.organisation_id,
        )

    assert str(refused.value.reply).startswith("554 5.7.1 ")
    assert "found Eicar; nothing was sent (our reference R1)" in str(refused.value)


def test_an_alarm_that_failed_half_way_rings_when_the_message_comes_again(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr(event_log, "save", _fail)
        report_and_list_notified(bob.address, organisation_id=bob.organisation_id)

    assert not QuarantinedMessage.objects.exists()
    assert not list(local_store.folder(Kind.QUARANTINE).iterdir())
    assert bob.address in report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id
    )


def test_an_alarm_whose_notice_failed_is_not_taken_for_one_that_rang(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr(commit, "commit_messages", _fail)
        report_and_list_notified(bob.address, organisation_id=bob.organisation_id)

    assert report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id
    ) == {bob.address}


def test_one_operator_without_a_valid_address_stops_nobodys_alarm(
    bob: Person, olive: Person
) -> None:
    Person.objects.filter(pk=olive.pk).update(everyday_address="not an address")

    notified = report_and_list_notified(
        bob.address, organisation_id=bob.organisation_id
    )

    assert notified == {bob.address}


def _fail(*_: object) -> None:
    raise OperationalError("the database is gone")


@pytest.mark.django_db(transaction=True)
def test_the_copy_is_made_before_anything_is_locked(bob: Person, monkeypatch) -> None:
    locked: list[bool] = []
    adopt = store.adopt

    def adopting(*args, **kwargs):
        locked.append(connection.in_atomic_block)
        return adopt(*args, **kwargs)

    monkeypatch.setattr(store, "adopt", adopting)

    report_and_list_notified(bob.address, organisation_id=bob.organisation_id)

    assert locked == [False]
