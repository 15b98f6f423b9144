from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from engine.database import bulk_rows
from engine.database.id_in import IdIn
from engine.queue.enqueue.insertion import CONTENT, RECIPIENT
from engine.queue.models import QueuedMessage, Recipient, Source
from engine.registry.models import Mailbox
from engine.storage import standard_folders
from engine.storage.mailbox_delivery import COLUMNS
from engine.storage.models import Content, FirstUse, Message
from engine.trace.models import Event
from tests import factories

EVENT = ("reference", "recipient", "kind", "detail", "at")
NOW = datetime(
    2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC
)  # in the hour when the clocks change
PATIENCE = 60  # seconds


def event(reference: str = "R", **detail: object) -> tuple[object, ...]:
    return reference, "", "received", detail, NOW


def crowd(count: int) -> list[int]:
    organisation = factories.make_organisation()
    return [
        factories.make_group_mailbox(f"g{number}@firm.example", organisation).pk
        for number in range(count)
    ]


def used() -> dict[int, int]:
    return dict(Mailbox.objects.values_list("pk", "used_bytes"))


@pytest.mark.django_db
def test_ids_come_in_the_order_of_the_rows() -> None:
    given = [f"R{number * 7919 % 500}" for number in range(500)]

    ids = bulk_rows.insert(Event, EVENT, [event(reference) for reference in given])

    kept = Event.objects.in_bulk(ids)
    assert [kept[pk].reference for pk in ids] == given


@pytest.mark.django_db
def test_more_rows_than_one_statement_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_rows, "VALUES_LIMIT", 3 * len(EVENT))
    given = [f"R{number}" for number in range(8)]

    with CaptureQueriesContext(connection) as queries:
        ids = bulk_rows.insert(Event, EVENT, [event(reference) for reference in given])

    kept = Event.objects.in_bulk(ids)
    assert [kept[pk].reference for pk in ids] == given
    assert len(queries) == 3


@pytest.mark.django_db
def test_nothing_to_write_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert bulk_rows.insert(Event, EVENT, []) == []
        bulk_rows.increment(Mailbox, "used_bytes", {})

    assert len(queries) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"size": 2**60, "ratio": 0.5, "person_id": None, "is_late": True},
        {"reply": 'He said "no", it\'s \\ %s {1} €', "to": ["Siân", "😀", []]},
        {"within": {"within": {"number": 1}}},
    ],
    ids=["empty", "numbers", "characters", "nested"],
)
def test_json_comes_back_as_it_was(detail: dict[str, object]) -> None:
    [pk] = bulk_rows.insert(Event, EVENT, [event(**detail)])

    assert Event.objects.get(pk=pk).detail == detail
    # Stored as a JSON object that can be queried, not as its text.
    assert Event.objects.filter(pk=pk, detail=detail).exists()


@pytest.mark.django_db
def test_moments_come_back_to_the_microsecond() -> None:
    moments = [NOW, NOW.replace(microsecond=0), NOW - timedelta(days=20_000)]

    ids = bulk_rows.insert(
        Event, EVENT, [("R", "", "received", {}, at) for at in moments]
    )

    assert [Event.objects.get(pk=pk).at for pk in ids] == moments


@pytest.fixture
def letter(db: None) -> Content:
    body = bytes(range(256))
    row = (Content.PLAIN, 300, "d", b"Subject: \xff'\\x\r\n\r\n", body, "", True, NOW)
    elsewhere = (Content.PLAIN, 2**40, "d", b"\r\n", None, "a/b", None, NOW)
    first, second = bulk_rows.insert(Content, CONTENT, [row, elsewhere])
    assert Content.objects.get(pk=second).size == 2**40
    assert Content.objects.get(pk=second).body is None
    return Content.objects.get(pk=first)


def test_octets_come_back_as_they_were(letter: Content) -> None:
    assert bytes(letter.header) == b"Subject: \xff'\\x\r\n\r\n"
    assert bytes(letter.body) == bytes(range(256))


def test_every_kind_of_value_comes_back_as_it_was(letter: Content) -> None:
    [mailbox_id] = crowd(1)
    folder = standard_folders.inbox(Mailbox.objects.get(pk=mailbox_id))
    subject = "It's \"so\" \\ {a,b} NULL € 😀\t%s ' -- "
    given = [
        (
            mailbox_id, folder.pk, letter.pk, "", NOW, "", "null", "{}", text, "",
            2**40, True, False, number > 0, False, False, -(2**62) + number, True, gone,
            f"R{number}", FirstUse.FETCHED if number else "", number,
        )
        for number, (text, gone) in enumerate([(subject, None), ("", NOW)])
    ]  # fmt: skip

    ids = bulk_rows.insert(Message, COLUMNS, given)

    kept = [Message.objects.values_list(*COLUMNS).get(pk=pk) for pk in ids]
    assert kept == given


@pytest.fixture
def queued(letter: Content) -> QueuedMessage:
    return QueuedMessage.objects.create(
        reference="Q", content=letter, source=Source.LIST, expires_at=NOW
    )


def recipient(message: QueuedMessage, status: str = "queued") -> tuple[object, ...]:
    """Returns a row of RECIPIENT without a lease."""
    address = "a@b.example"
    return message.pk, address, "", "", "mailbox", NOW, "", "", status, 0, "", None, 7


def test_a_column_not_given_takes_its_default(queued: QueuedMessage) -> None:
    [pk] = bulk_rows.insert(Recipient, RECIPIENT, [recipient(queued)])

    kept = Recipient.objects.get(pk=pk)
    assert (kept.tls_failures, kept.leased_until) == (0, None)


def test_one_row_that_the_table_forbids_stops_all(queued: QueuedMessage) -> None:
    held_for_no_reason = recipient(queued, "held")

    with pytest.raises(DatabaseError), transaction.atomic():
        bulk_rows.insert(Recipient, RECIPIENT, [recipient(queued), held_for_no_reason])

    assert not Recipient.objects.exists()


@pytest.mark.django_db
def test_each_row_gets_its_own_amount() -> None:
    first, second, third = crowd(3)

    bulk_rows.increment(Mailbox, "used_bytes", {third: 2**40, first: 5})
    bulk_rows.increment(Mailbox, "used_bytes", {first: -2, third + 1000: 7})

    assert used() == {first: 3, second: 0, third: 2**40}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_those_who_add_to_the_same_rows_never_wait_for_each_other() -> None:
    ids, times = crowd(30), 40
    together = Barrier(2)

    def add(order: list[int]) -> None:
        together.wait(PATIENCE)
        with closing(connection):
            for _ in range(times):
                with transaction.atomic():
                    bulk_rows.increment(Mailbox, "used_bytes", dict.fromkeys(order, 1))

    with ThreadPoolExecutor(2) as threads:
        adding = [threads.submit(add, order) for order in (ids, ids[::-1])]
        for one in adding:
            one.result(PATIENCE)

    assert used() == dict.fromkeys(ids, 2 * times)


@pytest.mark.django_db
def test_those_among_many_ids_are_found_with_one_value() -> None:
    first, _, third = crowd(3)
    beyond = range(third + 1, third + 3000)

    with CaptureQueriesContext(connection) as queries:
        found = Mailbox.objects.filter(IdIn("pk", [third, *beyond, first]))
        assert {mailbox.pk for mailbox in found} == {first, third}
        assert not Mailbox.objects.filter(IdIn("pk", [])).exists()

    assert len(queries) == 2
