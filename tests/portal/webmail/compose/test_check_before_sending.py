"""The check before sending: right person, right organisations, nothing forgotten."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.queue.models import QueuedMessage
from engine.registry.actions import organisations
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import out_of_office
from engine.storage.models import FolderRole
from portal.webmail.contacts import actions
from portal.webmail.contacts.contact_card import Card
from tests import factories
from tests.portal.webmail.compose_page import CHARLIE, JANE, ComposePage, value_of
from tests.portal.webmail.conftest import named_address, store_message

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")

MESSAGE = {"to": CHARLIE, "subject": "Hearing", "text": "On Monday", "confirmed": ""}
FIRST = "This is the first message from this mailbox to"


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    return ComposePage(bob.mailbox)


def sent(client: Client, page: ComposePage, **over: object) -> str:
    """Presses Send, confirming nothing."""
    return page.post(client, "send", **(MESSAGE | over)).content.decode()


def keys(page: str) -> list[str]:
    return re.findall(r'name="confirmed" value="([^"]+)"', page)


def test_somebody_never_written_to_is_asked_about_once(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    page = sent(as_bob, compose_page)
    assert f"{FIRST} Charlie ({CHARLIE}) at Harbour Chambers" in page
    assert keys(page) == [f"new_recipient:{CHARLIE}"]
    assert not QueuedMessage.objects.exists()

    page = sent(as_bob, compose_page, confirmed=keys(page))
    assert "Check before you send" not in page
    sent(as_bob, ComposePage(bob.mailbox))

    assert QueuedMessage.objects.count() == 2


@pytest.mark.parametrize("how", ["contact", "wrote", "colleague", "not asked"])
def test_somebody_known_is_not_asked_about(
    as_bob: Client, bob: Person, compose_page: ComposePage, how: str, alice: Person
) -> None:
    to = CHARLIE
    if how == "contact":
        actions.add(bob, Card("Charlie", CHARLIE))
    elif how == "wrote":
        store_message(bob.mailbox, sender=named_address("C", CHARLIE))
    elif how == "colleague":
        to = alice.address
    else:
        as_bob.post(reverse("webmail:writing_preferences"), {"undo_seconds": 0})

    assert "Check before you send" not in sent(as_bob, compose_page, to=to)


def test_what_was_confirmed_covers_nobody_else(
    as_bob: Client, compose_page: ComposePage
) -> None:
    confirmed = keys(sent(as_bob, compose_page))

    page = sent(as_bob, compose_page, to=f"{CHARLIE}, {JANE}", confirmed=confirmed)

    assert f"{FIRST} {JANE}" in page
    assert not QueuedMessage.objects.exists()


def test_another_organisation_that_joins_a_reply_is_pointed_out_and_removed(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    message = store_message(bob.mailbox)
    both = f"{JANE}, {CHARLIE}"

    page = sent(as_bob, compose_page, to=both, subject="Re: x", answers=message.pk)
    assert keys(page) == [f"other_organisation:{CHARLIE}"]
    assert "from Harbour Chambers has taken part" in page

    page = compose_page.post(
        as_bob, f"drop-{CHARLIE}", to=both, subject="Re: x", text="x"
    ).content.decode()
    assert value_of(page, "to") == JANE
    assert "Check before you send" not in page


def test_a_conversation_is_the_one_opened_though_another_mailbox_sends(
    as_bob: Client, bob: Person, team: Mailbox, compose_page: ComposePage
) -> None:
    factories.make_grant(team, bob, can_read=True, can_send=True)
    message = store_message(bob.mailbox)

    page = sent(
        as_bob,
        compose_page,
        to=f"{JANE}, {CHARLIE}",
        subject="Re: x",
        sender=team.pk,
        answers=message.pk,
    )

    assert keys(page) == [f"other_organisation:{CHARLIE}"]


@pytest.mark.parametrize("can_read", [True, False])
def test_earlier_mail_is_looked_into_for_those_who_may_read_it(
    as_bob: Client,
    bob: Person,
    team: Mailbox,
    compose_page: ComposePage,
    can_read: bool,
) -> None:
    factories.make_grant(team, bob, can_read=can_read, can_send=True)

    page = sent(as_bob, compose_page, sender=team.pk)

    assert (FIRST in page) == can_read


def test_everybody_whom_a_message_went_to_is_known(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    many = [named_address(f"N{n}", f"n{n}@firm.example") for n in range(30)]
    to = [*many, named_address("Charlie", CHARLIE)]
    store_message(bob.mailbox, role=FolderRole.SENT, to=to)

    assert FIRST not in sent(as_bob, compose_page)


def test_a_namesake_is_chosen_instead(
    as_bob: Client, northfield: Organisation, compose_page: ComposePage
) -> None:
    other = "c2@northfield.secure.example"
    factories.make_mailbox(factories.make_person(other, northfield, name="Charlie"))
    call_command("rebuild_directory", verbosity=0)

    page = sent(as_bob, compose_page)
    assert "Another Charlie is at Northfield Court" in page
    swap = f"swap-{CHARLIE} {other}"
    assert f'value="{swap}"' in page
    page = compose_page.post(as_bob, swap, **MESSAGE).content.decode()

    assert value_of(page, "to") == other
    assert "Another Charlie is at Harbour Chambers" in page


def test_many_who_would_see_one_another_go_to_bcc(
    as_bob: Client, compose_page: ComposePage
) -> None:
    many = ", ".join(f"p{n}@firm.example.secure.example" for n in range(9))
    fields = MESSAGE | {"to": f"{CHARLIE}, {many}"}

    page = sent(as_bob, compose_page, **fields)
    assert "10 people at 2 organisations will see" in page
    page = compose_page.post(as_bob, "hide", **fields).content.decode()

    assert value_of(page, "to") == ""
    assert value_of(page, "bcc").count("@") == 10
    assert "will see each other" not in page


@pytest.mark.parametrize("state", ["away", "full", "both, unlisted"])
def test_who_will_not_read_it_soon_is_said_of_those_whom_the_directory_lists(
    as_bob: Client, charlie: Person, compose_page: ComposePage, state: str
) -> None:
    if state != "full":
        out_of_office.turn_on(
            charlie.mailbox,
            starts_at=timezone.now() - timedelta(hours=1),
            ends_at=None,
            subject="Away",
            text="Back on 3 June",
        )
    if state != "away":
        Mailbox.objects.filter(owner=charlie).update(quota_bytes=0)
    if state == "both, unlisted":
        Mailbox.objects.filter(owner=charlie).update(is_published=False)

    page = sent(as_bob, compose_page)

    assert ("Back on 3 June" in page) == (state == "away")
    assert ("is full. The message waits" in page) == (state == "full")


def test_a_suspended_organisation_is_named_beside_the_field(
    as_bob: Client, harbour: Organisation, compose_page: ComposePage
) -> None:
    organisations.suspend(harbour, reason="x", by=None)

    page = sent(as_bob, compose_page)

    assert "cannot receive mail at present" in page.partition('id="id_to-error"')[2]


def test_the_script_is_answered_the_same(
    as_bob: Client, compose_page: ComposePage
) -> None:
    fields = MESSAGE | {"text": "See the attached bundle"}

    page = as_bob.post(f"{compose_page.url}check/", fields)
    again = as_bob.post(f"{compose_page.url}check/", fields | {"to": "nobody"})

    words = page.content.decode()
    assert keys(words) == [f"new_recipient:{CHARLIE}", "no_attachment"]
    assert "<html" not in words
    assert again.status_code == 204
    confirmed = fields | {"confirmed": keys(words)}
    assert as_bob.post(f"{compose_page.url}check/", confirmed).status_code == 204
