"""Tracing one's own mail: nothing is shown that another organisation must not know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient
from engine.mail.errors import MailError
from engine.queue import recall
from engine.queue.enqueue import commit, local_submission
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.queue.withdrawal import withdraw
from engine.registry.models import Organisation, Person, Posting
from engine.routing import routes
from engine.storage import message_actions, standard_folders
from engine.storage.models import FolderRole
from engine.trace.models import Event, EventKind
from portal.organisation.mail import trace_mail, trace_refusals, trace_search
from portal.organisation.mail.trace_query import Query
from tests import factories
from tests.engine.queue.conftest import Queue
from tests.portal.conftest import SignIn
from tests.portal.organisation.conftest import Path

pytestmark = pytest.mark.django_db


def send(by: Person, *to: Person) -> str:
    raw = f"From: {by.address}\r\nSubject: Secret subject\r\n\r\nSecret body\r\n"
    recipients = tuple(EnvelopeRecipient(Address.parse(p.address)) for p in to)
    envelope = Envelope(Address.parse(by.address), recipients)
    return local_submission.submit(
        raw.encode(), envelope=envelope, source=Source.WEBMAIL, by=by
    )


@pytest.fixture
def from_harbour(charlie: Person, bob: Person) -> str:
    """A message from Charlie to Bob of Northfield and to himself."""
    return send(charlie, bob, charlie)


@pytest.fixture
def from_northfield(alice: Person, charlie: Person) -> str:
    return send(alice, charlie)


def references(admin_client: Client, path_to: Path, query: str = "") -> set[str]:
    page = admin_client.get(path_to(f"trace/?{query}"), follow=True)
    if "story" in page.context:
        return {page.context["story"].reference}
    return {line.reference for line in page.context["lines"]}


def test_sent_and_received_messages_are_listed(
    admin_client: Client, path_to: Path, from_northfield: str, from_harbour: str
) -> None:
    lines = admin_client.get(path_to("trace/")).context["lines"]

    assert {line.reference: line.kind for line in lines} == {
        from_northfield: "sent",
        from_harbour: "received",
    }
    assert references(admin_client, path_to, "shown=sent") == {from_northfield}
    assert references(admin_client, path_to, "shown=received") == {from_harbour}


@pytest.mark.parametrize(
    ("query", "finds_own", "finds_received"),
    [
        ("recipient=bob@northfield.secure.example", False, True),
        ("recipient=BOB@northfield.secure.example", False, True),
        ("recipient=charlie@harbour.secure.example", True, False),
        ("sender=charlie@harbour.secure.example", False, True),
        ("sender=alice@northfield.secure.example", True, False),
        ("sender=alice@northfield.secure.example&since=2999-01-01", False, False),
        ("recipient=nonsense", False, False),
        ("sender=charlie@harbour.secure.example&shown=sent", False, False),
        ("recipient=bob@northfield.secure.example&shown=sent", False, False),
        ("since=nonsense&until=2026-99-99", True, True),
        ("since=2000-01-01&until=9999-12-31", True, True),
        ("until=2000-01-01", False, False),
        ("since=2999-01-01", False, False),
        ("reason=full", False, False),
    ],
)
def test_search(
    admin_client: Client,
    path_to: Path,
    from_northfield: str,
    from_harbour: str,
    query: str,
    finds_own: bool,
    finds_received: bool,
) -> None:
    found = references(admin_client, path_to, query)

    assert (from_northfield in found) is finds_own
    assert (from_harbour in found) is finds_received


def test_reference_finds_a_message_of_ones_own_only(
    admin_client: Client, path_to: Path, from_harbour: str, charlie: Person
) -> None:
    theirs = send(charlie, charlie)

    assert references(admin_client, path_to, f"reference={from_harbour.lower()}") == {
        from_harbour
    }
    assert references(admin_client, path_to, f"reference={theirs}") == set()
    assert admin_client.get(path_to(f"trace/{theirs}/")).status_code == 404
    assert admin_client.get(path_to("trace/NOTHING/")).status_code == 404


def test_receiver_sees_own_recipients_only_and_nothing_of_the_content(
    admin_client: Client, path_to: Path, from_harbour: str
) -> None:
    listed = admin_client.get(path_to("trace/?sender=charlie@harbour.secure.example"))
    page = admin_client.get(path_to(f"trace/{from_harbour}/")).content.decode()

    [line] = listed.context["lines"]
    assert (line.recipient, line.number) == ("bob@northfield.secure.example", 1)
    assert "Delivered to the mailbox" in page
    assert ": charlie@harbour" not in page
    for secret in ("Secret subject", "Secret body"):
        assert secret not in page
        assert secret not in listed.content.decode()


def test_sender_sees_every_recipient(
    signed_in: SignIn, charlie: Person, harbour: Organisation, from_harbour: str
) -> None:
    client = signed_in(charlie, second_factor=True)

    page = client.get(f"/organisation/{harbour.pk}/trace/{from_harbour}/")

    recipients = {step.recipient for step in page.context["story"].steps}
    assert recipients == {
        "",
        "bob@northfield.secure.example",
        "charlie@harbour.secure.example",
    }


def test_a_long_trace_takes_few_queries(
    admin_client: Client,
    path_to: Path,
    alice: Person,
    bob: Person,
    django_assert_max_num_queries,
) -> None:
    for _ in range(30):
        send(alice, bob)

    with django_assert_max_num_queries(13):
        page = admin_client.get(path_to("trace/"))

    assert len(page.context["lines"]) == 30


def test_pages_follow_one_another_without_a_gap_or_a_repeat(
    admin_client: Client,
    path_to: Path,
    alice: Person,
    charlie: Person,
    northfield: Organisation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace_search, "PER_PAGE", 3)
    monkeypatch.setattr(trace_mail, "PER_PAGE", 3)
    monkeypatch.setattr(trace_refusals, "PER_PAGE", 3)
    expected = []
    for number in range(4):
        expected += [send(alice, charlie), send(charlie, alice), refuse(alice, number)]

    found, query = [], ""
    for _ in range(20):
        page = admin_client.get(path_to(f"trace/{query}"))
        found += [line.reference for line in page.context["lines"]]
        if "next" not in page.context["links"]:
            break
        query = page.context["links"]["next"]["href"]

    assert found == expected[::-1]


@pytest.mark.parametrize("after", ["x", "-", "9" * 30, "-1", "0-0", "5", "\x00"])
def test_a_place_that_is_none_is_a_page_all_the_same(
    admin_client: Client, path_to: Path, from_northfield: str, after: str
) -> None:
    assert admin_client.get(path_to("trace/"), {"after": after}).status_code == 200


def refuse(by: Person, number: int) -> str:
    """Has a message refused; returns the reference that the reply quotes."""
    sender = Address.parse(by.address)
    to = Address.parse(f"nobody{number}@harbour.secure.example")
    with pytest.raises(MailError) as refused:
        local_submission.submit(
            f"From: {sender}\r\n\r\nSecret\r\n".encode(),
            envelope=Envelope.simple(sender, to),
            source=Source.WEBMAIL,
            by=by,
        )
    return refused.value.reply.text.rpartition(" ")[2].rstrip(")")


LIST = "duty@harbour.secure.example"


@pytest.fixture
def through_a_list(
    alice: Person, bob: Person, charlie: Person, harbour: Organisation
) -> str:
    """A message of Alice's to Harbour's list of Bob, Charlie and a former member."""
    gone = "gone@harbour.secure.example"
    factories.make_list(
        LIST, harbour, bob.address, charlie.address, gone, posting=Posting.COMMUNITY
    )
    envelope = Envelope(
        Address.parse(alice.address), (EnvelopeRecipient(Address.parse(LIST)),)
    )
    raw = f"From: {alice.address}\r\n\r\nHello\r\n".encode()
    reference = local_submission.submit(
        raw, envelope=envelope, source=Source.WEBMAIL, by=alice
    )
    Queue().run()
    return reference


def copy_of(reference: str) -> str:
    expanded = Event.objects.get(reference=reference, kind=EventKind.EXPANDED)
    return str(expanded.detail["sent_on_as"])


def recipients_shown(
    client: Client, organisation: Organisation, reference: str
) -> set[str]:
    page = client.get(f"/organisation/{organisation.pk}/trace/{reference}/")
    if page.status_code == 404:
        return set()
    return {step.recipient for step in page.context["story"].steps}


def test_author_does_not_learn_whom_a_neighbours_list_reaches(
    admin_client: Client, northfield: Organisation, path_to: Path, through_a_list: str
) -> None:
    copy = copy_of(through_a_list)

    assert references(admin_client, path_to) == {through_a_list, copy}
    assert references(admin_client, path_to, "shown=sent") == {through_a_list}
    [received] = admin_client.get(path_to("trace/?shown=received")).context["lines"]
    assert (received.recipient, received.number) == ("bob@northfield.secure.example", 1)
    assert recipients_shown(admin_client, northfield, through_a_list) == {"", LIST}
    assert recipients_shown(admin_client, northfield, copy) == {
        "",
        "bob@northfield.secure.example",
    }


def test_owner_of_a_list_follows_it_to_every_member(
    signed_in: SignIn, charlie: Person, harbour: Organisation, through_a_list: str
) -> None:
    client = signed_in(charlie, second_factor=True)
    copy = copy_of(through_a_list)

    page = client.get(f"/organisation/{harbour.pk}/trace/{through_a_list}/")

    assert page.context["story"].sent_on == [copy]
    assert "the sender has been notified" not in page.content.decode()
    assert "gone@harbour.secure.example" in recipients_shown(
        client, harbour, through_a_list
    )
    assert recipients_shown(client, harbour, copy) == {
        "",
        "bob@northfield.secure.example",
        "charlie@harbour.secure.example",
    }


def test_what_its_sender_took_back_is_no_operators_doing(
    admin_client: Client, path_to: Path, alice: Person, charlie: Person
) -> None:
    raw = f"From: {alice.address}\r\nSubject: Too soon\r\n\r\nHello\r\n"
    prepared = local_submission.prepare(
        raw.encode(),
        envelope=Envelope.simple(*map(Address.parse, (alice.address, charlie.address))),
        source=Source.WEBMAIL,
        release_at=timezone.now() + timedelta(minutes=1),
        by=alice,
    )
    [reference] = commit.commit_messages([prepared])
    withdraw(reference, by=alice)

    listed = admin_client.get(path_to("trace/"))
    page = admin_client.get(path_to(f"trace/{reference}/")).content.decode()

    [line] = listed.context["lines"]
    assert line.statuses == [("Taken back by its sender", 1)]
    assert "Taken back by its sender" in page
    assert "by an operator" not in page


def test_what_was_recalled_says_so(
    admin_client: Client, path_to: Path, alice: Person, bob: Person
) -> None:
    raw = f"From: {alice.address}\r\nSubject: Wrong bundle\r\n\r\nHello\r\n".encode()
    prepared = local_submission.prepare(
        raw,
        envelope=Envelope.simple(*map(Address.parse, (alice.address, bob.address))),
        source=Source.WEBMAIL,
        by=alice,
    )
    [reference] = commit.commit_messages([prepared])
    sent = standard_folders.folder(alice.mailbox, FolderRole.SENT)
    recall.recall(message_actions.append(sent, raw, reference=reference), by=alice)

    listed = admin_client.get(path_to("trace/"))
    page = admin_client.get(path_to(f"trace/{reference}/")).content.decode()

    assert listed.context["lines"][0].statuses == [("Recalled by its sender", 1)]
    assert "Recalled by its sender, and no longer in the mailbox" in page


def test_a_reason_finds_nothing_said_of_other_organisations_recipients(
    admin_client: Client,
    path_to: Path,
    harbour: Organisation,
    charlie: Person,
    from_harbour: str,
) -> None:
    rows = Recipient.objects.filter(message__reference=from_harbour)
    reply = "550 5.1.1 <kim@harbour> is unknown"
    rows.filter(address=charlie.address).update(
        status=RecipientStatus.FAILED, last_reply=reply
    )

    for query in (
        "reason=unknown",
        "reason=unknown&sender=charlie@harbour.secure.example",
        "reason=unknown&recipient=bob@northfield.secure.example",
    ):
        assert references(admin_client, path_to, query) == set()
    lines, _ = trace_mail.find(harbour, Query(reason="unknown"), routes.current(), None)
    assert [line.reference for line in lines] == [from_harbour]


def test_other_organisations_recipients_push_no_message_from_the_page(
    admin_client: Client, path_to: Path, from_harbour: str
) -> None:
    message = QueuedMessage.objects.get(reference=from_harbour)
    first = message.recipients.order_by("pk").first()
    for row in message.recipients.exclude(pk=first.pk):
        row.delete()
    crowd = [
        Recipient(message=message, address=f"p{number}@harbour.secure.example")
        for number in range(6_000)
    ]
    Recipient.objects.bulk_create(crowd)
    # The organisation's own recipient is the last of the crowd.
    own = Recipient.objects.get(pk=first.pk)
    own.delete()
    own.pk = None
    own.save()

    [line] = admin_client.get(path_to("trace/?shown=received")).context["lines"]

    assert (line.reference, line.recipient, line.number) == (
        from_harbour,
        "bob@northfield.secure.example",
        1,
    )


@pytest.mark.parametrize("field", ["sender=alice", "recipient=charlie"])
def test_matches_behind_many_others_are_found(
    admin_client: Client,
    path_to: Path,
    alice: Person,
    bob: Person,
    charlie: Person,
    field: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest is read where the first rows do not fill the page."""
    monkeypatch.setattr(trace_mail, "FIRST", 2)
    oldest = send(alice, charlie)
    other = alice if field.startswith("sender") else charlie
    for _ in range(4):
        send(other, other)
    name, _, person = field.partition("=")
    address = {"alice": alice, "charlie": charlie}[person].address

    found = references(admin_client, path_to, f"{name}={address}&shown=sent")

    assert oldest in found
