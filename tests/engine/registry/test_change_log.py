from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from engine.registry import change_log
from engine.registry.actions import people
from engine.registry.models import Change, ChangeKind, ConnectionCredential, Grant
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(northfield, firm_connection, alice, bob):
    """A row of each routed kind."""
    mailbox = factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield
    )
    made = factories.make_list(
        "all@northfield.secure.example", northfield, alice.address
    )
    return {
        "organisation": northfield,
        "domain": northfield.domains.get(),
        "connection": firm_connection,
        "person": bob,
        "mailbox": mailbox,
        "grant": factories.make_grant(mailbox, bob),
        "alias": factories.make_alias(
            "desk@northfield.secure.example", alice.address, northfield
        ),
        "list": made,
        "member": made.members.get(),
        "poster": made.posters.create(address=alice.address),
    }


ROUTED = [
    "organisation",
    "domain",
    "connection",
    "person",
    "mailbox",
    "grant",
    "alias",
    "list",
    "member",
    "poster",
]


@pytest.mark.parametrize("kind", ROUTED)
def test_log_grows_when_a_routed_row_is_saved(everything, kind):
    before = change_log.end()
    everything[kind].save()

    assert change_log.end() != before


@pytest.mark.parametrize(
    "kind", [k for k in ROUTED if k not in ("organisation", "person")]
)
def test_log_grows_when_a_routed_row_is_deleted(everything, kind):
    before = change_log.end()
    everything[kind].delete()

    assert change_log.end() != before


def test_log_stays_when_somebody_signs_in(bob):
    before = change_log.end()
    bob.last_login = bob.created_at
    bob.save(update_fields=["last_login"])

    assert change_log.end() == before


def test_log_stays_for_what_no_route_needs(firm_connection):
    before = change_log.end()
    ConnectionCredential.objects.create(
        connection=firm_connection, username="x", digest="x"
    )

    assert change_log.end() == before


def test_a_verb_that_changes_no_route_is_logged_all_the_same(bob):
    before = change_log.end()
    people.set_password(bob, password="another horse", by=bob)

    entries = change_log.after(before, most=10)
    assert [entry.kind for entry in entries] == [ChangeKind.OTHER]


def test_many_rows_at_a_time_are_logged(everything, northfield):
    before = change_log.end()
    rows = northfield.people.all()
    ids = sorted(rows.values_list("pk", flat=True))
    rows.update(is_active=False)
    rows.update(phone="1")
    made = Grant.objects.bulk_create(
        [Grant(mailbox=everything["mailbox"], person=rows.get(grants=None))]
    )

    entries = change_log.after(before, most=10)
    logged = [(entry.kind, entry.row_id) for entry in entries]
    of_people = [(ChangeKind.PERSON, pk) for pk in ids]
    assert logged == [*of_people, (ChangeKind.GRANTS, made[0].person_id)]


def test_sequences_have_no_gaps(northfield) -> None:
    Change.objects.record(ChangeKind.PERSON, [7, 5, 7])
    Change.objects.record(ChangeKind.LIST, [1])
    with pytest.raises(RuntimeError), transaction.atomic():
        Change.objects.record(ChangeKind.LIST, [2])
        raise RuntimeError
    Change.objects.record(ChangeKind.LIST, [3])

    rows = list(Change.objects.values_list("sequence", "row_id"))
    assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
    assert [row_id for _, row_id in rows][-4:] == [5, 7, 1, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_a_writer_that_commits_late_is_never_passed_over() -> None:
    """The second writer began later and would commit first, but waits."""
    may_commit, has_logged = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            Change.objects.record(ChangeKind.PERSON, [1])
            has_logged.set()
            may_commit.wait(10)

    def second() -> None:
        has_logged.wait(10)
        with transaction.atomic():
            Change.objects.record(ChangeKind.PERSON, [2])

    threads = [
        threading.Thread(target=_in_thread, args=[one]) for one in (first, second)
    ]
    for thread in threads:
        thread.start()
    has_logged.wait(10)
    threads[1].join(0.5)
    seen_before = change_log.after(change_log.START, most=10)
    assert threads[1].is_alive()
    may_commit.set()
    for thread in threads:
        thread.join()

    assert seen_before == []
    found = change_log.after(change_log.START, most=10)
    assert found is not None
    assert [(one.sequence, one.row_id) for one in found] == [(1, 1), (2, 2)]


def _in_thread(work) -> None:
    try:
        work()
    finally:
        connection.close()


def test_purge_keeps_what_is_young_and_the_last(clocks_agree) -> None:
    Change.objects.record(ChangeKind.PERSON, range(1, 11))
    old = timezone.now() - timedelta(hours=2)
    Change.objects.filter(sequence__lte=6).update(at=old)

    assert change_log.purge() == 6
    assert change_log.purge() == 0

    Change.objects.update(at=old)
    change_log.purge()
    assert change_log.end().sequence == Change.objects.get().sequence


def test_purge_keeps_so_many_at_most(monkeypatch) -> None:
    monkeypatch.setattr(change_log, "ROWS_KEPT", 4)
    Change.objects.record(ChangeKind.PERSON, range(1, 11))

    change_log.purge()

    assert Change.objects.count() == 4
