"""What webmail shows of a sent message: in lists, on its page, and as it changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.queue.enqueue import mailbox_submission
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from engine.trace.models import Event
from portal.sessions.store import FACTS
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import store_message

JANE = "jane@firm.example.secure.example"
UNREACHABLE = "451 4.4.1 The next hop does not answer"
# Those of any folder, and the one that reads the deliveries of all rows.
QUERIES = 7

pytestmark = pytest.mark.usefixtures("firm_connection")


def send(mailbox: Mailbox, by: Person, *to: str, bcc: tuple[str, ...] = ()) -> Message:
    """Sends a message from a mailbox; returns the copy in Sent."""
    named = [NamedAddress("", Address.parse(address)) for address in to]
    blind = [NamedAddress("", Address.parse(address)) for address in bcc]
    raw = compose(
        sender=NamedAddress("", Address.parse(mailbox.address)),
        to=named,
        subject="Bundle for Monday",
        text="Attached.",
    )
    prepared = mailbox_submission.prepare(
        raw,
        sender=mailbox,
        recipients=Recipients(named, (), blind),
        source=Source.WEBMAIL,
        by=by,
    )
    copy = mailbox_submission.commit(prepared).copy
    assert copy is not None
    return copy


def defer(message: Message) -> None:
    """Makes the recipients outside wait, as after an attempt in vain."""
    rows = Recipient.objects.filter(message__reference=message.reference)
    rows.exclude(destination="mailbox").update(
        last_reply=UNREACHABLE,
        attempts=1,
        next_attempt_at=timezone.now() + timedelta(minutes=5),
    )


def relay(message: Message) -> None:
    rows = Recipient.objects.filter(message__reference=message.reference)
    rows.update(status=RecipientStatus.RELAYED, finished_at=timezone.now())


def purge_queue() -> None:
    Recipient.objects.all().delete()
    QueuedMessage.objects.all().delete()


def soup(client: Client, url: str) -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content.replace(b"<wbr>", b""), "html.parser")


def words(page: BeautifulSoup, where: str) -> str:
    return " ".join(" ".join(one.get_text(" ") for one in page.select(where)).split())


def page_of(client: Client, message: Message) -> BeautifulSoup:
    return soup(client, reverse("webmail:read", args=[message.pk]))


def sent_folder(client: Client, mailbox: Mailbox) -> BeautifulSoup:
    opened = folder(mailbox, FolderRole.SENT)
    return soup(client, reverse("webmail:folder", args=[opened.pk]))


def refresh(form: str, *messages: Message) -> str:
    asked = "".join(f"&message={one.pk}" for one in messages)
    return f"{reverse('webmail:refresh_deliveries')}?as={form}{asked}"


def test_it_waits_and_says_since_when_why_and_until_when(
    as_bob: Client, bob: Person
) -> None:
    message = send(bob.mailbox, bob, JANE)
    defer(message)

    row = words(sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery")
    shown = words(page_of(as_bob, message), ".app-delivery")

    for said in (row, shown):
        assert "Waiting Since" in said
        assert "The recipient's server could not be reached" in said
        assert "Next attempt: " in said
        assert "It is returned to you if it cannot be delivered by" in said


def test_it_is_delivered_and_nobody_says_read(as_bob: Client, bob: Person) -> None:
    message = send(bob.mailbox, bob, JANE)
    relay(message)

    row = words(sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery")
    shown = words(page_of(as_bob, message), ".app-delivery")

    assert row.startswith("Delivered ")
    assert "the recipient's own mail server, which took it" in shown
    assert "data-live-waiting" not in str(page_of(as_bob, message))


def test_each_recipient_is_told_apart(
    as_bob: Client, alice: Person, bob: Person
) -> None:
    message = send(bob.mailbox, bob, alice.address, JANE)
    defer(message)

    row = words(sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery")
    shown = words(page_of(as_bob, message), ".app-delivery__recipient")

    assert "Partly delivered" in row
    assert "Delivered to 1 of 2 recipients" in row
    assert "Waiting for 1 since" in row
    assert shown.index(f"{JANE} Waiting") < shown.index(f"{alice.address} Delivered")


def test_it_stays_true_when_the_queue_and_then_the_trace_forget(
    as_bob: Client, alice: Person, bob: Person
) -> None:
    message = send(bob.mailbox, bob, alice.address)
    purge_queue()
    traced = words(page_of(as_bob, message), ".app-delivery")
    row = words(sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery")
    Event.objects.all().delete()
    forgotten = words(page_of(as_bob, message), ".app-delivery")

    assert "Delivered to the mailbox" in traced
    assert row.startswith("Delivered")
    assert "No longer on record" in forgotten
    assert "No longer on record" in words(
        sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery"
    )


def test_mail_from_before_shows_nothing(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, role=FolderRole.SENT)

    page = page_of(as_bob, message)

    assert not page.select(".app-delivery")
    assert not sent_folder(as_bob, bob.mailbox).select(".app-mail-row__delivery")
    story = as_bob.get(reverse("webmail:delivery", args=[message.pk]))
    assert story.status_code == 404


def test_who_got_it_learns_nothing_of_the_others(
    signed_in: SignIn, alice: Person, bob: Person, charlie: Person
) -> None:
    send(bob.mailbox, bob, charlie.address, bcc=(alice.address,))
    got = Message.objects.get(mailbox=charlie.mailbox)
    client = signed_in(charlie, second_factor=True)

    page = client.get(reverse("webmail:read", args=[got.pk])).content.decode()

    assert 'class="app-delivery"' not in page
    for url in (
        reverse("webmail:delivery", args=[got.pk]),
        refresh("message", got),
        refresh("story", got),
    ):
        assert client.get(url).status_code == 404
    assert "data-live-region" not in client.get(refresh("row", got)).content.decode()


def test_nobody_else_follows_it(
    signed_in: SignIn, as_bob: Client, alice: Person, bob: Person, charlie: Person
) -> None:
    message = send(bob.mailbox, bob, charlie.address)
    for person in (alice, charlie):
        client = signed_in(person, second_factor=True)
        story = client.get(reverse("webmail:delivery", args=[message.pk]))
        assert story.status_code == 404
        assert client.get(refresh("message", message)).status_code == 404
        rows = client.get(refresh("row", message)).content.decode()
        assert "data-live-says" not in rows


def test_readers_of_a_group_mailbox_follow_what_it_sent(
    as_bob: Client, team: Mailbox, alice: Person, bob: Person, charlie: Person
) -> None:
    factories.make_grant(team, alice, can_send=True)
    factories.make_grant(team, bob, can_read=True)
    message = send(team, alice, charlie.address)

    assert "Delivered to the mailbox" in words(
        page_of(as_bob, message), ".app-delivery"
    )


def test_where_it_has_been(as_bob: Client, bob: Person) -> None:
    message = send(bob.mailbox, bob, JANE)
    Event.objects.create(
        reference=message.reference,
        recipient=JANE,
        kind="deferred",
        at=timezone.now(),
        detail={"reply": UNREACHABLE, "next_hop": "mail.firm.example"},
    )
    defer(message)

    page = page_of(as_bob, message)
    [link] = page.select("a:-soup-contains('Where it has been')")
    story = soup(as_bob, link["href"])

    shown = words(story, "#mail")
    assert "Accepted and kept" in shown
    assert "Could not be delivered yet; it will be tried again" in shown
    assert UNREACHABLE in shown
    assert message.reference in shown
    assert "mail.firm.example" not in shown


def test_a_page_in_view_is_refreshed(as_bob: Client, bob: Person) -> None:
    message = send(bob.mailbox, bob, JANE)
    defer(message)
    [waiting] = page_of(as_bob, message).select("[data-live-waiting]")
    same = as_bob.get(refresh("message", message)).content.decode()
    relay(message)

    for form in ("row", "message", "story"):
        fresh = soup(as_bob, refresh(form, message))
        [one] = fresh.select(f'[data-live-region="delivery-{message.pk}"]')
        assert "Delivered" in one.get_text()
        assert not fresh.select("[data-live-waiting]")
    assert "Next attempt" in same
    assert waiting["data-live-region"] == f"delivery-{message.pk}"


@pytest.mark.parametrize(
    "query", ["", "?as=row", "?message=1", "?as=x&message=1", "?as=row&message=x"]
)
def test_a_refresh_names_its_messages(as_bob: Client, query: str) -> None:
    url = reverse("webmail:refresh_deliveries")

    assert as_bob.get(url + query).status_code == 404


def test_a_number_beyond_all_ids_is_no_fault(as_bob: Client) -> None:
    url = reverse("webmail:refresh_deliveries")

    answer = as_bob.get(f"{url}?as=row&message={'9' * 400}")

    assert answer.status_code == 200


def test_a_page_left_open_does_not_keep_the_session(
    as_bob: Client, bob: Person
) -> None:
    message = send(bob.mailbox, bob, JANE)
    page_of(as_bob, message)
    begun = as_bob.session[FACTS]["seen"]
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        as_bob.get(refresh("row", message))
        untouched = as_bob.session[FACTS]["seen"]
        page_of(as_bob, message)
        used = as_bob.session[FACTS]["seen"]

    assert begun == untouched < used


def test_a_page_of_sent_mail_costs_one_query_more_however_long(
    as_bob: Client,
    alice: Person,
    bob: Person,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    purged = send(bob.mailbox, bob, JANE)
    purge_queue()
    sent_folder(as_bob, bob.mailbox)
    message_actions.erase([purged.pk])
    for _ in range(5):
        defer(send(bob.mailbox, bob, alice.address, JANE))
    opened = reverse("webmail:folder", args=[folder(bob.mailbox, FolderRole.SENT).pk])
    as_bob.get(opened)  # makes the previews of what is new

    with django_assert_num_queries(QUERIES):
        as_bob.get(opened)
    purge_queue()
    with django_assert_num_queries(QUERIES + 1):
        as_bob.get(opened)
