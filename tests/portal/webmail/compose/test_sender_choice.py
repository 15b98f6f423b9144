"""Writing from an address with a detail, at which mail arrives."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from engine.queue.models import QueuedMessage
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage.models import FolderRole, Message
from portal.webmail.models import UndoTime, WritingPreferences
from tests import factories
from tests.portal.webmail.compose_page import (
    CHARLIE,
    KNOWN,
    ComposePage,
    messages_in,
    only_message_in,
    value_of,
)
from tests.portal.webmail.conftest import named_address, store_message

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")

CASE = "bob+Case7@northfield.secure.example"
_OPTION = re.compile(r'<option value="([^"]*)"( selected)?>([^<]*@[^<]*)</option>')


@pytest.fixture(autouse=True)
def leaves_immediately(bob: Person) -> None:
    WritingPreferences.objects.create(person=bob, undo_seconds=UndoTime.NONE)


def arrived(mailbox: Mailbox, *to: str, cc: tuple[str, ...] = ()) -> Message:
    return store_message(
        mailbox,
        to=[named_address("", address) for address in to],
        cc=[named_address("", address) for address in cc],
    )


def page_of(client: Client, action: str, message: Message) -> str:
    return client.get(reverse(f"webmail:{action}", args=[message.pk])).content.decode()


def options(page: str) -> list[tuple[str, bool]]:
    """Returns the addresses in From, and which of them is chosen."""
    return [
        (label.partition("&lt;")[2].removesuffix("&gt;"), bool(selected))
        for _, selected, label in _OPTION.findall(page)
    ]


def chosen_key(page: str) -> str:
    return next(key for key, selected, _ in _OPTION.findall(page) if selected)


def answer(client: Client, page: str, do: str, **over: str) -> str:
    """Posts the page of a reply as it stands."""
    action = re.search(r'<form method="post" action="([^"]+/write/[^"]+)"', page)
    assert action, page
    fields = {name: value_of(page, name) for name in ("to", "subject", "answers")}
    typed = {"do": do, "text": "Yes", "sender": chosen_key(page), "confirmed": KNOWN}
    posted = {**typed, **fields, **over}
    return client.post(action[1], posted, follow=True).content.decode()


@pytest.mark.parametrize(
    ("to", "cc", "sender"),
    [
        ((CASE,), (), CASE),
        (("BOB+Case7@northfield.secure.example",), (), CASE),
        ((CHARLIE,), (CASE,), CASE),
        (
            ("bob+a+b@northfield.secure.example",),
            (),
            "bob+a+b@northfield.secure.example",
        ),
        # To both, or to neither.
        ((CASE,), ("bob@northfield.secure.example",), "bob@northfield.secure.example"),
        ((CHARLIE,), (), "bob@northfield.secure.example"),
        # What follows the plus is another's, or the mailbox before it is.
        (("bob+team@northfield.secure.example",), (), "bob@northfield.secure.example"),
        (("charlie+x@harbour.secure.example",), (), "bob@northfield.secure.example"),
        (("bob+x@elsewhere.example",), (), "bob@northfield.secure.example"),
    ],
)
def test_a_reply_goes_out_from_the_address_that_was_written_to(
    as_bob: Client,
    bob: Person,
    charlie: Person,
    northfield: Organisation,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    sender: str,
) -> None:
    factories.make_group_mailbox("bob+team@northfield.secure.example", northfield)
    message = arrived(bob.mailbox, *to, cc=cc)

    page = page_of(as_bob, "reply", message)
    as_bob.post(
        ComposePage(bob.mailbox).url,
        {
            "do": "send",
            "to": CHARLIE,
            "subject": "Re",
            "text": "Yes",
            "confirmed": KNOWN,
            "sender": chosen_key(page) if options(page) else "",
        },
    )

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert received.header.text("From") == f"Bob <{sender}>"
    assert QueuedMessage.objects.get().sender == sender
    _, copy = only_message_in(bob.mailbox, FolderRole.SENT)
    assert copy.header.text("From") == f"Bob <{sender}>"


def test_both_addresses_are_offered_for_the_reply(as_bob: Client, bob: Person) -> None:
    message = arrived(bob.mailbox, CASE)

    page = page_of(as_bob, "reply", message)

    assert options(page) == [(bob.address, False), (CASE, True)]


def test_a_saved_reply_keeps_the_choice(as_bob: Client, bob: Person) -> None:
    page = page_of(as_bob, "reply", arrived(bob.mailbox, CASE))

    saved = answer(as_bob, page, "save")
    assert options(saved) == [(bob.address, False), (CASE, True)]
    _, draft = only_message_in(bob.mailbox, FolderRole.DRAFTS)
    assert draft.header.text("From") == f"Bob <{CASE}>"

    own = answer(
        as_bob,
        page,
        "save",
        sender=str(bob.mailbox.pk),
        version=value_of(saved, "version"),
    )
    assert (bob.address, True) in options(own) or 'name="sender"' not in own


def test_a_reply_to_all_is_not_sent_to_ones_own_detail(
    as_bob: Client, bob: Person
) -> None:
    message = arrived(
        bob.mailbox, CASE, CHARLIE, cc=("bob+b@northfield.secure.example",)
    )

    page = page_of(as_bob, "reply_all", message)

    assert value_of(page, "cc") == CHARLIE


def test_a_message_that_is_undone_or_written_again_keeps_its_sender(
    as_bob: Client, bob: Person
) -> None:
    WritingPreferences.objects.update(undo_seconds=UndoTime.LONG)
    page = page_of(as_bob, "reply", arrived(bob.mailbox, CASE))
    sent = answer(as_bob, page, "send", to=CHARLIE)
    [message] = messages_in(bob.mailbox, FolderRole.SENT)

    again = as_bob.post(reverse("webmail:edit_as_new", args=[message.pk]), follow=True)
    assert (CASE, True) in options(again.content.decode())

    undo = re.search(r'action="([^"]*/sent/[0-9]+/undo/)"', sent)
    assert undo, sent
    undone = as_bob.post(undo[1], follow=True).content.decode()
    assert "It is a draft again" in undone
    assert (CASE, True) in options(undone)


@pytest.mark.parametrize(
    "detail", ["+team", "+a b\r\nBcc: x@y.example", "+" + "x" * 70, "+\u202ex"]
)
def test_an_address_that_is_not_theirs_is_refused(
    as_bob: Client, bob: Person, northfield: Organisation, detail: str
) -> None:
    factories.make_group_mailbox("bob+team@northfield.secure.example", northfield)

    page = ComposePage(bob.mailbox).post(
        as_bob, "send", to=CHARLIE, text="x", sender=f"{bob.mailbox.pk}{detail}"
    )

    assert "You may not send from this address" in page.content.decode()
    assert not QueuedMessage.objects.exists()
