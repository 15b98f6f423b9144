"""Teams share a mailbox (S9) and use distribution lists (S11), hosted here or not."""

from __future__ import annotations

import pytest

from tests.journeys.firm import JANE, JANE_INSIDE
from tests.journeys.letters import (
    download_messages,
    text_of,
    wait_for_message,
    wait_for_message_at_firm,
)
from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until

pytestmark = pytest.mark.journey

CLERKS = "clerks@harbour.secure.example"
NEWS = "news@harbour.secure.example"


def test_a_team_reads_and_answers_from_the_mailbox_that_its_administrator_made(
    visit: Visits, postern: Postern, ben: Person, david: Person, grace: Person
) -> None:
    administrator, outsider, member = visit(grace), visit(ben), visit(david)
    administrator.open("/organisation/")
    administrator.follow("Group mailboxes")
    administrator.press("Add a group mailbox")
    administrator.fill(name="Clerks’ room", address=CLERKS)
    administrator.tick("is_published")
    administrator.press("Add")
    administrator.fill(address=david["address"])
    administrator.choose(rights="read")
    administrator.choose(rights="send")
    administrator.press("Add")
    assert administrator.sees("David Osei")

    outsider.write(to=CLERKS, subject="Is Friday free?", text="For a conference.")
    outsider.send()
    wait_until(
        lambda: bool(download_messages(postern, david, "Is Friday free?", team=CLERKS)),
        "the question, by POP3 from the team’s mailbox",
        90,
    )

    member.open("/mail/")
    member.follow("Clerks’ room")
    member.follow("Is Friday free?")
    member.follow("Reply")
    member.fill(text="It is.")
    member.send()
    reply = wait_for_message(postern, ben, "Re: Is Friday free?")
    assert CLERKS in reply["From"]
    assert "It is." in text_of(reply)


def test_a_list_across_organisations_reaches_all_and_keeps_strangers_out(
    visit: Visits,
    postern: Postern,
    firm: Postfix,
    ben: Person,
    david: Person,
    grace: Person,
    priya: Person,
) -> None:
    administrator = visit(grace)
    administrator.open("/organisation/")
    administrator.follow("Distribution lists")
    administrator.press("Add a distribution list")
    administrator.fill(name="Harbour news", address=NEWS)
    administrator.choose(posting="members")
    administrator.tick("is_published")
    administrator.press("Add")
    administrator.fill(
        addresses="\n".join((david["address"], ben["address"], JANE_INSIDE))
    )
    administrator.press("Add members")
    assert administrator.sees(JANE_INSIDE)

    writer = visit(ben)
    writer.write(to=NEWS, subject="New listing times", text="From Monday.")
    writer.send()
    received = wait_for_message(postern, david, "New listing times")
    assert NEWS in received["List-Post"]
    assert wait_for_message_at_firm(firm, "jane", "New listing times")

    stranger = visit(priya)
    stranger.write(to=NEWS, subject="Not for the list", text="Hello")
    stranger.press("Send")
    assert stranger.sees("may not write to") or stranger.sees("only its members")
    firm.send(
        f"From: {JANE}\r\nTo: {NEWS}\r\nSubject: From the firm\r\n"
        f"Message-ID: <news@firm.example>\r\n\r\nHello\r\n".encode(),
        sender=JANE,
        recipients=[NEWS],
    )
    assert wait_for_message(postern, ben, "From the firm")
    assert not download_messages(postern, david, "Not for the list")
