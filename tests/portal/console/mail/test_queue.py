from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.models import Connection, Person, RoleName
from portal.console.mail import queue_search
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.console.test_screens import make_recipient


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    """The browser of an operator."""
    return signed_in(olive, second_factor=True)


@pytest.fixture
def waiting(olive: Person) -> list[Recipient]:
    addresses = ("jane@firm.example.secure.example", "kim@harbour.secure.example")
    return [make_recipient(address) for address in addresses]


def act(staff_client: Client, action: str, chosen: str, **typed: str) -> None:
    staff_client.post(f"/admin/queue/do/?deed={action}&{chosen}", typed)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?recipient=kim@harbour.secure.example", 1),
        ("?recipient=harbour.secure.example", 1),
        ("?sender=northfield.secure.example", 2),
        ("?sender=NORTHFIELD.secure.example&recipient=nobody.example", 0),
        ("?destination=mailbox", 2),
        ("?destination=connection:1", 0),
        ("?hours=2", 0),
        ("?hours=nonsense", 2),
        ("?status=nonsense", 2),
    ],
)
def test_queue_is_filtered(
    staff_client: Client, waiting: list[Recipient], query: str, count: int
) -> None:
    assert len(staff_client.get(f"/admin/queue/{query}").context["rows"]) == count


def test_what_has_waited_long_is_found(
    staff_client: Client, waiting: list[Recipient]
) -> None:
    QueuedMessage.objects.filter(pk=waiting[0].message_id).update(
        accepted_at=timezone.now() - timedelta(hours=5)
    )

    assert staff_client.get("/admin/queue/?hours=4").context["rows"] == [waiting[0]]


def test_chosen_recipients_are_held_and_released(
    staff_client: Client, waiting: list[Recipient]
) -> None:
    one = f"id={waiting[0].pk}"

    act(staff_client, "hold", one)
    untouched = Recipient.objects.filter(status=RecipientStatus.HELD).count()
    act(staff_client, "hold", one, reason="Looks odd.")
    held = list(Recipient.objects.filter(status=RecipientStatus.HELD))
    act(staff_client, "release", one)

    assert untouched == 0
    assert held == [waiting[0]]
    assert not Recipient.objects.filter(status=RecipientStatus.HELD).exists()


def test_all_that_the_filter_finds_are_dropped_and_their_senders_told(
    staff_client: Client, waiting: list[Recipient], bob: Person
) -> None:
    act(staff_client, "drop", "all=1&recipient=harbour.secure.example", reason="Spam.")

    dropped = Recipient.objects.filter(status=RecipientStatus.DROPPED)
    assert list(dropped) == [waiting[1]]
    notice = QueuedMessage.objects.get(source="dsn")
    assert [one.address for one in notice.recipients.all()] == [bob.address]


def test_nothing_chosen_is_said(staff_client: Client, waiting: list[Recipient]) -> None:
    for query in ("deed=drop", "deed=nonsense&id=1", "deed=drop&id=nonsense"):
        page = staff_client.get(f"/admin/queue/do/?{query}", follow=True)
        assert b"Select the recipients" in page.content


def test_what_moved_on_meanwhile_is_said(staff_client: Client) -> None:
    gone = make_recipient(status="delivered")

    page = staff_client.post(f"/admin/queue/do/?deed=retry&id={gone.pk}", follow=True)

    assert b"1 were not changed" in page.content


def test_auditor_sees_the_queue_and_changes_nothing(
    signed_in: SignIn, waiting: list[Recipient]
) -> None:
    person = factories.make_person("ada@secure.example")
    factories.make_staff(person, RoleName.AUDITOR)
    client = signed_in(person, second_factor=True)

    page = client.get("/admin/queue/")

    assert b'name="deed"' not in page.content
    assert (
        client.post(f"/admin/queue/do/?deed=retry&id={waiting[0].pk}").status_code
        == 403
    )


def test_destinations_are_counted_in_one_pass_over_what_waits(
    db: None, firm_connection: Connection
) -> None:
    for number in range(5):
        make_recipient(f"p{number}@firm.example", destination=f"connection:{number}")

    with CaptureQueriesContext(connection) as captured:
        queue_search.by_destination()

    how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            cursor.execute(f"{how} {query['sql']}".replace("%", "%%"))
            plan = str(cursor.fetchall())
            assert "CORRELATED" not in plan
            assert "SubPlan" not in plan


def test_destinations_tell_where_mail_waits(
    staff_client: Client, firm_connection: Connection, django_assert_max_num_queries
) -> None:
    place = f"connection:{firm_connection.pk}"
    for number in range(5):
        make_recipient(
            f"p{number}@firm.example", destination=place, last_reply="451 4.4.1 Down"
        )

    with django_assert_max_num_queries(22):
        page = staff_client.get("/admin/queue/destinations/")

    [(section, _)] = page.context["sections"]
    [row] = section.table.rows
    assert [row[0].text, row[1].text, row[4].text] == [
        "Firm Solicitors: Main connection",
        "5",
        "451 4.4.1 Down",
    ]


def test_what_was_withdrawn_is_left_out_of_a_release(
    staff_client: Client, waiting: list[Recipient]
) -> None:
    held, withdrawn = waiting
    Recipient.objects.filter(pk=held.pk).update(status="held", hold="operator")
    Recipient.objects.filter(pk=withdrawn.pk).update(status="held", hold="withdrawn")
    release = "/admin/queue/do/?deed=release"

    alone = staff_client.post(f"{release}&id={withdrawn.pk}").content.decode()
    both = f"{release}&id={held.pk}&id={withdrawn.pk}"
    page = staff_client.post(both, follow=True).content.decode()

    assert "one operator alone cannot release it" in alone
    assert "Still held because they were withdrawn: 1." in page
    statuses = Recipient.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == [RecipientStatus.QUEUED, RecipientStatus.HELD]
