"""Members ask by form, by email and by telephone, and an agent answers (S15)."""

from __future__ import annotations

from email.utils import parseaddr

import pytest

from tests.journeys.letters import messages_containing
from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.process import wait_until
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.journey

HELPDESK = "helpdesk@secure.example"


def mail(postern: Postern, person: Person, subject: str, to: str, text: str) -> None:
    """Submits a message from the person's mail program."""
    sent = swaks(
        postern.ports["submission"],
        *tls_options(postern.ca_file),
        *login_options(person["address"], person["app_password"]),
        sender=person["address"],
        recipient=to,
        message=(
            f"From: {person['name']} <{person['address']}>\r\nTo: {to}\r\n"
            f"Subject: {subject}\r\n\r\n{text}\r\n"
        ).encode(),
    )
    assert sent.code == 0, sent.transcript


def test_a_question_by_mail_is_answered_and_the_answer_to_it_joins_the_ticket(
    visit: Visits, postern: Postern, ben: Person
) -> None:
    agent = visit(postern.person("helpdesk_agent"))
    subject = "The printer refuses my letters"
    mail(postern, ben, subject, HELPDESK, "What do I press?")
    wait_until(lambda: agent.finds("/admin/tickets/", subject), "the ticket", 120)

    agent.follow(subject)
    assert agent.sees("Northgate Crown Court")
    ticket = agent.page.url.removeprefix(postern.web)
    agent.page.locator("form[action$='/answer/'] textarea").fill("The green button.")
    agent.press("Send reply")
    wait_until(
        lambda: bool(messages_containing(postern, ben, "The green button.")),
        "answer",
        120,
    )
    [answer] = messages_containing(postern, ben, "The green button.")

    to = answer["Reply-To"] or answer["From"]
    mail(postern, ben, f"Re: {answer['Subject']}", parseaddr(to)[1], "It worked.")
    wait_until(lambda: agent.finds(ticket, "It worked."), "what Ben said", 120)


def test_a_question_by_form_is_followed_by_who_asked(
    visit: Visits, postern: Postern, priya: Person
) -> None:
    member, agent = visit(priya), visit(postern.person("helpdesk_agent"))
    member.open("/help/")
    member.follow("Ask a question, or follow yours")
    member.press("Ask the helpdesk")
    member.choose(category="mailbox")
    member.fill(subject="My folders have gone", text="Since this morning.")
    member.press("Send your question")
    asked = "My folders have gone"
    assert agent.finds("/admin/tickets/", asked)
    agent.follow(asked)
    agent.page.locator("form[action$='/answer/'] textarea").fill("Look under Archive.")
    agent.press("Send reply")

    member.open("/help/tickets/")
    member.follow(asked)
    assert member.sees("Look under Archive.")


def test_a_call_is_typed_in(visit: Visits, postern: Postern, david: Person) -> None:
    agent = visit(postern.person("helpdesk_agent"))
    agent.open("/admin/tickets/")
    agent.follow("Record a call")
    agent.page.fill("#id_address", david["address"])
    agent.page.fill("#id_name", david["name"])
    agent.page.fill("#id_subject", "Called about a new telephone")
    agent.page.fill("#id_text", "Needs a new authenticator app.")
    agent.press("Open the ticket")

    assert agent.sees("Needs a new authenticator app.")
    assert agent.sees("Harbour Chambers")
    member = visit(david)
    assert member.finds("/help/tickets/", "Called about a new telephone")
