"""Recalling a sent message, and what the recipients see of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.certificates import visibility
from engine.queue import mailbox_withdrawals
from engine.queue import recall as verbs
from engine.queue.mailbox_withdrawals import Cause
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.models import (
    FirstUse,
    FolderRole,
    Message,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.storage.standard_folders import folder
from portal.certificates import making
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.mailbox.test_sent_messages import (
    JANE,
    page_of,
    send,
    sent_folder,
    soup,
    words,
)

pytestmark = pytest.mark.usefixtures("firm_connection")

PAGES = ("read", "content", "original", "print", "source", "reply", "reply_all")


@pytest.fixture
def sent(alice: Person, bob: Person) -> Message:
    """Bob's copy of a message to Alice, who has it in her Inbox."""
    return send(bob.mailbox, bob, alice.address)


def received(person: Person) -> Message:
    return Message.objects.get(mailbox=person.mailbox, folder__role=FolderRole.INBOX)


def recall(client: Client, message: Message, **answers: str) -> BeautifulSoup:
    url = reverse("webmail:recall", args=[message.pk])
    answer = client.post(url, answers, follow=True)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content.replace(b"<wbr>", b""), "html.parser")


def soup_after(client: Client, url: str) -> BeautifulSoup:
    """Returns the page that a link leads to in the end."""
    answer = client.get(url, follow=True)
    return BeautifulSoup(answer.content.replace(b"<wbr>", b""), "html.parser")


def inbox_of(client: Client, mailbox: Mailbox) -> BeautifulSoup:
    opened = folder(mailbox, FolderRole.INBOX)
    return soup(client, reverse("webmail:folder", args=[opened.pk]))


def test_the_author_recalls_it_and_sees_what_came_of_it(
    as_bob: Client, bob: Person, alice: Person, sent: Message
) -> None:
    url = reverse("webmail:recall", args=[sent.pk])
    assert page_of(as_bob, sent).select_one(f'a[href="{url}"]')
    assert "Recall this message?" in words(soup(as_bob, url), "h1")

    page = recall(as_bob, sent, reason="Wrong bundle")

    assert "Recalled by its sender" in words(page, ".app-delivery")
    assert "Wrong bundle" in words(page, ".app-delivery")
    assert "Recalled" in words(page_of(as_bob, sent), "section.app-delivery")
    assert not page_of(as_bob, sent).select_one(f'a[href="{url}"]')
    assert words(sent_folder(as_bob, bob.mailbox), ".app-mail-row__delivery") == (
        "Recalled"
    )


def test_the_recipient_sees_that_by_whom_when_and_why(
    as_alice: Client, bob: Person, alice: Person, sent: Message
) -> None:
    verbs.recall(sent, reason="<b>Wrong</b> bundle", by=bob)

    news = words(inbox_of(as_alice, alice.mailbox), ".app-withdrawn__news")
    assert f"{bob.address} recalled a message, " in news
    listed = soup(as_alice, reverse("webmail:withdrawn", args=[alice.mailbox.pk]))
    said = words(listed, "main")
    assert "Reason given: <b>Wrong</b> bundle" in said
    assert "Bundle for Monday" not in said
    assert "Attached" not in said


def test_no_page_shows_it_any_more(
    as_alice: Client, bob: Person, alice: Person, sent: Message
) -> None:
    message = received(alice)
    verbs.recall(sent, by=bob)

    assert "Bundle for Monday" not in words(inbox_of(as_alice, alice.mailbox), "main")
    for name in PAGES:
        url = reverse(f"webmail:{name}", args=[message.pk])
        answer = as_alice.get(url)
        assert answer.status_code == (302 if name == "read" else 404), name
    found = reverse("webmail:search", args=[alice.mailbox.pk])
    assert "Bundle for Monday" not in words(soup(as_alice, f"{found}?q=bundle"), "ol")


def test_its_page_leads_to_why_for_those_who_could_read_it(
    as_alice: Client, alice: Person, bob: Person, sent: Message
) -> None:
    url = reverse("webmail:read", args=[received(alice).pk])
    verbs.recall(sent, reason="Wrong bundle", by=bob)

    page = words(soup_after(as_alice, url), "main")

    assert "This message was withdrawn from the mailbox" in page
    assert "Reason given: Wrong bundle" in page


def test_its_page_is_not_there_for_others(
    as_bob: Client, alice: Person, bob: Person, sent: Message
) -> None:
    url = reverse("webmail:read", args=[received(alice).pk])
    verbs.recall(sent, by=bob)

    assert as_bob.get(url).status_code == 404


def test_news_of_it_ends_after_a_week(
    as_alice: Client, alice: Person, sent: Message
) -> None:
    cause = Cause(WithdrawalKind.OPERATOR, None)
    mailbox_withdrawals.withdraw([received(alice).pk], cause)
    news = words(inbox_of(as_alice, alice.mailbox), ".app-withdrawn__news")
    assert "was withdrawn by the operator of the service" in news

    WithdrawnCopy.objects.update(withdrawn_at=timezone.now() - timedelta(days=8))

    assert not inbox_of(as_alice, alice.mailbox).select(".app-withdrawn__news")


@pytest.mark.parametrize("name", [*PAGES, "part"])
def test_whatever_shows_the_content_uses_it(
    as_alice: Client, alice: Person, sent: Message, name: str
) -> None:
    message = received(alice)
    path = ["1"] if name == "part" else []

    as_alice.get(reverse(f"webmail:{name}", args=[message.pk, *path]))

    # The header says no more than a list of messages does.
    is_used = name != "source"
    assert bool(received(alice).first_use) is is_used


def test_an_earlier_message_shown_beside_an_answer_is_used(
    as_alice: Client, alice: Person, bob: Person, sent: Message
) -> None:
    first = received(alice)
    send(bob.mailbox, bob, alice.address)
    Message.objects.filter(mailbox=alice.mailbox).update(thread=7)
    newest = Message.objects.filter(mailbox=alice.mailbox).first()

    page_of(as_alice, newest)

    first.refresh_from_db()
    assert first.first_use == FirstUse.OPENED


def test_one_that_was_opened_stays(
    as_bob: Client, alice: Person, sent: Message
) -> None:
    message_actions.note_use([received(alice)], FirstUse.OPENED)

    page = recall(as_bob, sent)

    assert received(alice)
    assert "already opened, fetched, forwarded or deleted" in words(page, "main")


def test_only_those_who_may_send_from_the_mailbox_recall(
    as_bob: Client, alice: Person, bob: Person, team: Mailbox
) -> None:
    factories.make_grant(team, bob, can_read=True, can_write=True)
    factories.make_grant(team, alice, can_read=True, can_send=True)
    sent = send(team, alice, alice.address)
    url = reverse("webmail:recall", args=[sent.pk])

    assert as_bob.get(url).status_code == 403
    assert as_bob.post(url).status_code == 403
    assert not page_of(as_bob, sent).select_one(f'a[href="{url}"]')
    bob.grants.update(can_send=True)
    assert as_bob.get(url).status_code == 200
    recall(as_bob, sent)

    assert WithdrawnCopy.objects.filter(mailbox=alice.mailbox).exists()


def test_what_was_received_cannot_be_recalled(
    as_alice: Client, alice: Person, sent: Message
) -> None:
    for message in (sent, received(alice)):
        url = reverse("webmail:recall", args=[message.pk])
        assert as_alice.get(url).status_code == 404
        assert as_alice.post(url).status_code == 404
    assert not WithdrawnCopy.objects.exists()


def test_a_long_reason_is_refused(as_bob: Client, sent: Message) -> None:
    page = recall(as_bob, sent, reason="x" * 201)

    assert "200" in words(page, ".govuk-error-summary")
    assert not WithdrawnCopy.objects.exists()


def test_pages_of_withdrawn_messages(
    as_alice: Client, signed_in: SignIn, alice: Person, bob: Person
) -> None:
    for _ in range(3):
        send(bob.mailbox, bob, alice.address)
    ids = Message.objects.filter(mailbox=alice.mailbox).values_list("pk", flat=True)
    cause = Cause(WithdrawalKind.INFECTED, None, "Eicar")
    mailbox_withdrawals.withdraw(list(ids), cause)
    url = reverse("webmail:withdrawn", args=[alice.mailbox.pk])

    assert words(soup(as_alice, url), "li").count("was found infected") == 3
    news = words(inbox_of(as_alice, alice.mailbox), ".app-withdrawn__news")
    assert "See all that was withdrawn" in news


def test_a_certificate_says_that_it_was_recalled(
    as_bob: Client, bob: Person, alice: Person, sent: Message
) -> None:
    both = send(bob.mailbox, bob, alice.address, JANE)
    recall(as_bob, both)

    made = making.make(visibility.of_member(both, days=365), by=bob)

    stated = json.loads(made.document)["certificate"]["recipients"]
    outcomes = {one["address"]: one for one in stated}
    recalled = outcomes[alice.address]
    assert recalled["outcome"] == "recalled"
    assert "it had been delivered to the mailbox at 20" in recalled["words"]
